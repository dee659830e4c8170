import { Hono } from 'hono'
import type { AppEnv } from '../http/app-env.js'
import type { Jobs } from '../jobs/jobs.js'
import { type SignInServices, signIn } from './sign-in.js'
import { stopRunning } from './stop-running.js'

/**
 * The interface that signs in and kills. Its `POST /upload` and `POST /export` are ours; what lies below those paths is
 * behind their guard.
 */
export function killDialect({ jobs, ...services }: SignInServices & { jobs: Jobs }) {
  const app = new Hono<AppEnv>()

  app.post('/auth/signin', async (c) => {
    const { token, account } = await signIn(c.env, services)
    const answer = { auth_token: token, token, username: account.username }
    return c.json(answer, 200, { 'Cache-Control': 'no-store' })
  })
  app.delete('/upload/kill', async (c) =>
    c.json(await stopRunning(jobs, 'upload', c.get('identity'), 'There is no upload found by this user.')),
  )
  app.post('/export/kill', async (c) =>
    c.json(await stopRunning(jobs, 'export', c.get('identity'), 'You are not exporting any file currently.')),
  )
  return app
}
