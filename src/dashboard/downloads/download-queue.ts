import { effect, signal } from '@preact/signals'
import type { JobRecord } from '../../protocol/jobs.js'
import { exportPath, jobPath, parsePublished, publishedPath, routes } from '../../protocol/routes.js'
import { me } from '../account.js'
import { callApi } from '../api.js'
import { myLiveJobs, onJobEnd } from '../live/job-store.js'
import { toastError } from '../parts/toasts.js'
import { say } from '../words/say.js'
import { type Download, forgetBegun, noteBegun } from './begun-downloads.js'
import { isSameFile } from './same-file.js'

/** A download waits for a slot, because another tab may take it first. */
const slotWaitSeconds = 30

/** Downloads that begin one after another. */
export const queuedDownloads = signal<readonly Download[]>([])

/** The name of one that was passed to the browser; its job is not known yet. */
const started = signal<string | null>(null)
let forgetStarted: ReturnType<typeof setTimeout> | undefined

/** Of a file, or of a folder as an archive. */
export function newDownload(name: string): Download {
  const base = name.slice(name.lastIndexOf('/', name.length - 2) + 1)
  const isFolder = name.endsWith('/')
  const id = `${exportPath(name)}?${isFolder ? 'archive=zip&' : ''}wait=${slotWaitSeconds}`
  return { name, id, saveAs: isFolder ? `${base.slice(0, -1)}.zip` : base, address: () => id }
}

/** Of several files and folders in a folder, as one archive: their names may be too many for an address. */
export function newArchiveDownload(folder: string, names: readonly string[]): Download {
  const published = parsePublished(folder)
  const inSpace = published?.name ?? folder
  const json = {
    folder: inSpace,
    files: names.map((name) => name.slice(inSpace.length)),
    archive: 'zip',
    prepare: true,
  }
  const path = published ? publishedPath(published.ops) : routes.export
  return {
    name: folder,
    id: JSON.stringify([path, json]),
    saveAs: `${inSpace.slice(inSpace.lastIndexOf('/', inSpace.length - 2) + 1, -1) || 'files'}.zip`,
    async address() {
      const headers = { Prefer: `wait=${slotWaitSeconds}` }
      const { id } = await callApi<JobRecord>('POST', path, { json, headers })
      return jobPath(id, 'archive')
    },
  }
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
  // The whole space has no name.
  const isFile = wanted.name !== '' && !wanted.name.endsWith('/')
  if (queuedDownloads.peek().length === 0 && (other === null || (isFile && isSameFile(other, wanted.name)))) {
    void startDownload(wanted)
  } else if (!queuedDownloads.peek().some(({ id }) => id === wanted.id)) {
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
async function startDownload(wanted: Download): Promise<void> {
  noteStarted(wanted)
  const link = document.createElement('a')
  link.download = wanted.saveAs
  try {
    link.href = await wanted.address()
  } catch (error) {
    forgetBegun(wanted)
    if (started.peek() === wanted.name) started.value = null
    toastError(say('tray.toldNotDownloaded', { what: wanted.saveAs }), error)
    return
  }
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
  queuedDownloads.value = rest
  void startDownload(next)
})

me.subscribe((account) => {
  if (account) return
  queuedDownloads.value = []
  started.value = null
})

const beginsWithinMs = (slotWaitSeconds + 10) * 1000
