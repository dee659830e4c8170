import { Hono } from 'hono'
import type { Jobs } from '../jobs/jobs.js'
import type { AppEnv } from '../routing/app-env.js'
import { type SignInServices, signInByJson } from './sign-in.js'
import { stopRunning } from './stop-running.js'

/**
 * The interface with sign-in and terminate. Its `POST /upload` and `POST /export` are our own; the paths below them
 * have the same guard.
 */
export function terminateDialect({ jobs, ...services }: SignInServices & { jobs: Jobs }) {
  const app = new Hono<AppEnv>()

  app.post('/signin', async (c) => {
    const { token } = await signInByJson(c.env, services)
    return c.text(token)
  })
  app.delete('/upload/terminate', async (c) =>
    c.json(await stopRunning(jobs, 'upload', c.get('identity'), 'You are not uploading anything currently.')),
  )
  app.post('/export/terminate', async (c) =>
    c.json(await stopRunning(jobs, 'export', c.get('identity'), 'You are not exporting any file currently.')),
  )
  return app
}
