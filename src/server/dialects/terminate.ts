import { Hono } from 'hono'
import type { AppEnv } from '../http/app-env.js'
import type { Jobs } from '../jobs/jobs.js'
import { type SignInServices, signIn } from './sign-in.js'
import { stopRunning } from './stop-running.js'

/**
 * The interface that signs in and terminates. Its `POST /upload` and `POST /export` are ours; what lies below those paths
 * is behind their guard.
 */
export function terminateDialect({ jobs, ...services }: SignInServices & { jobs: Jobs }) {
  const app = new Hono<AppEnv>()

  app.post('/signin', async (c) => {
    const { token } = await signIn(c.env, services)
    return c.text(token, 200, { 'Cache-Control': 'no-store' })
  })
  app.delete('/upload/terminate', async (c) =>
    c.json(await stopRunning(jobs, 'upload', c.get('identity'), 'You are not uploading anything currently.')),
  )
  app.post('/export/terminate', async (c) =>
    c.json(await stopRunning(jobs, 'export', c.get('identity'), 'You are not exporting any file currently.')),
  )
  return app
}
