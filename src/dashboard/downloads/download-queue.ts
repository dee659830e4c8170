import { effect, signal } from '@preact/signals'
import { exportPath } from '../../protocol/routes.js'
import { me } from '../account.js'
import { myLiveJobs, onJobEnd } from '../live/job-store.js'
import { isSameFile } from './same-file.js'

/** Names of files (the account's own, or `ops:OPS/NAME`) that are downloaded one after another. */
export const queuedDownloads = signal<readonly string[]>([])

/** Passed to the browser; its job is not known yet. */
const started = signal<string | null>(null)
let forgetStarted: ReturnType<typeof setTimeout> | undefined

/** The URL of a download. It waits for a slot, because another tab may take it first. */
export function downloadPath(name: string): string {
  return `${exportPath(name)}?wait=${slotWaitSeconds}`
}

/** The download that has the account's slot; null if there is none. */
export function runningDownload(): string | null {
  const own = myLiveJobs.value.find(
    ({ endedAt, record }) => endedAt === null && record.kind === 'export' && record.account === me.value?.account,
  )
  return own?.record.file ?? started.value
}

/** Whether the browser may start this download now; otherwise it is queued. Several streams of one file are one job. */
export function beginDownload(name: string): boolean {
  const other = runningDownload()
  if (queuedDownloads.peek().length === 0 && (other === null || isSameFile(other, name))) {
    noteStarted(name)
    return true
  }
  if (!queuedDownloads.peek().includes(name)) queuedDownloads.value = [...queuedDownloads.peek(), name]
  return false
}

export function skipDownload(name: string): void {
  queuedDownloads.value = queuedDownloads.peek().filter((other) => other !== name)
}

function noteStarted(name: string): void {
  clearTimeout(forgetStarted)
  started.value = name
  // The user may have cancelled it before it started.
  forgetStarted = setTimeout(() => {
    started.value = null
  }, beginsWithinMs)
}

/** Like a click on its link, because only the browser's own downloads handle files of any size. */
function startDownload(name: string): void {
  const link = document.createElement('a')
  link.href = downloadPath(name)
  link.download = name.slice(name.lastIndexOf('/') + 1)
  link.click()
}

// From now on its job shows the progress.
effect(() => {
  const name = started.value
  const isKnown = myLiveJobs.value.some(({ record }) => record.kind === 'export' && isSameFile(record.file ?? '', name))
  if (name !== null && isKnown) started.value = null
})

onJobEnd(({ kind, file }) => {
  if (kind === 'export' && isSameFile(file ?? '', started.peek())) started.value = null
})

effect(() => {
  const [next, ...rest] = queuedDownloads.value
  if (next === undefined || runningDownload() !== null) return
  noteStarted(next)
  queuedDownloads.value = rest
  startDownload(next)
})

me.subscribe((account) => {
  if (account) return
  queuedDownloads.value = []
  started.value = null
})

const slotWaitSeconds = 30
const beginsWithinMs = (slotWaitSeconds + 10) * 1000
