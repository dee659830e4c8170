import { type Identity, Revocation } from '../auth/identity.js'
import type { Job } from './job.js'

/** Stops a job when the session of its current request is revoked. Returns a function that ends the watch. */
export function stopWhenRevoked(job: Job, { revoked }: Identity): () => void {
  const stop = () => {
    const by = revoked.reason instanceof Revocation ? revoked.reason.by : job.account
    // Being too late is no error here: a published file stays published.
    job.stop(by).catch(() => {})
  }
  revoked.addEventListener('abort', stop)
  if (revoked.aborted) stop()
  return () => revoked.removeEventListener('abort', stop)
}
