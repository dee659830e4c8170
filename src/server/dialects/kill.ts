import { Hono } from 'hono'
import type { Jobs } from '../jobs/jobs.js'
import type { AppEnv } from '../routing/app-env.js'
import { type SignInServices, signInByJson } from './sign-in.js'
import { stopRunning } from './stop-running.js'

/**
 * The interface with sign-in and kill. Its `POST /upload` and `POST /export` are our own; the paths below them have the
 * same guard.
 */
export function killDialect({ jobs, ...services }: SignInServices & { jobs: Jobs }) {
  const app = new Hono<AppEnv>()

  app.post('/auth/signin', async (c) => {
    const { token, account } = await signInByJson(c.env, services)
    const answer = { auth_token: token, token, username: account.username }
    return c.json(answer, 200)
  })
  app.delete('/upload/kill', async (c) =>
    c.json(await stopRunning(jobs, 'upload', c.get('identity'), 'There is no upload found by this user.')),
  )
  app.post('/export/kill', async (c) =>
    c.json(await stopRunning(jobs, 'export', c.get('identity'), 'You are not exporting any file currently.')),
  )
  return app
}
