import type { JobRecord } from '../../protocol/jobs.js'

/**
 * Tells the other tabs that this one sends an upload, until the returned function is called, or the tab is closed. By a
 * lock, because the browser frees it whatever happens to the tab.
 */
export function announceSending(jobId: string): () => void {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  navigator.locks?.request(nameOf(jobId), () => released).catch(() => {})
  return release
}

/** Resolves once no tab sends the upload, or at the signal. */
export async function untilNobodySends({ id, state }: JobRecord, signal: AbortSignal): Promise<void> {
  if (navigator.locks) await navigator.locks.request(nameOf(id), { signal }, () => {}).catch(() => {})
  // Without TLS, other hosts' pages have no locks: the server tells when nobody sends any more, a little later.
  else if (state === 'running' || state === 'waiting') await new Promise(() => {})
}

function nameOf(jobId: string): string {
  return `filejobs-upload ${jobId}`
}
