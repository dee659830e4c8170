import { effect, signal } from '@preact/signals'
import { exportPath } from '../../protocol/routes.js'
import { me } from '../account.js'
import { myLiveJobs, onJobEnd } from '../live/job-store.js'
import { type Download, noteBegun } from './begun-downloads.js'
import { isSameFile } from './same-file.js'

const slotWaitSeconds = 30
/** A download waits for a slot, because another tab may take it first. */
export const waitQuery = `wait=${slotWaitSeconds}`

/** Downloads that begin one after another. */
export const queuedDownloads = signal<readonly Download[]>([])

/** The name of one that was passed to the browser; its job is not known yet. */
const started = signal<string | null>(null)
let forgetStarted: ReturnType<typeof setTimeout> | undefined

/** Of a file, or of a folder as an archive. */
export function newDownload(name: string): Download {
  const base = name.slice(name.lastIndexOf('/', name.length - 2) + 1)
  if (!name.endsWith('/')) return { name, path: `${exportPath(name)}?${waitQuery}`, saveAs: base }
  return { name, path: `${exportPath(name)}?archive=zip&${waitQuery}`, saveAs: `${base.slice(0, -1)}.zip` }
}

/** The name of the download that has the account's slot; null if there is none. */
export function runningDownload(): string | null {
  const own = myLiveJobs.value.find(
    ({ endedAt, record }) => endedAt === null && record.kind === 'export' && record.account === me.value?.account,
  )
  return own?.record.file ?? started.value
}

/** Lets the browser download it: now, or after those before it. Several streams of one file are one job. */
export function download(wanted: Download): void {
  const other = runningDownload()
  const isFile = !wanted.name.endsWith('/')
  if (queuedDownloads.peek().length === 0 && (other === null || (isFile && isSameFile(other, wanted.name)))) {
    noteStarted(wanted)
    startDownload(wanted)
  } else if (!queuedDownloads.peek().some(({ path }) => path === wanted.path)) {
    queuedDownloads.value = [...queuedDownloads.peek(), wanted]
  }
}

export function skipDownload(skipped: Download): void {
  queuedDownloads.value = queuedDownloads.peek().filter((other) => other !== skipped)
}

function noteStarted(download: Download): void {
  clearTimeout(forgetStarted)
  started.value = download.name
  noteBegun(download, beginsWithinMs)
  // The user may have cancelled it before it started.
  forgetStarted = setTimeout(() => {
    started.value = null
  }, beginsWithinMs)
}

/** Like a click on its link, because only the browser's own downloads handle files of any size. */
function startDownload({ path, saveAs }: Download): void {
  const link = document.createElement('a')
  link.href = path
  link.download = saveAs
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

const beginsWithinMs = (slotWaitSeconds + 10) * 1000
