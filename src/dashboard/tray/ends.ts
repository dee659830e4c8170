import { effect, signal } from '@preact/signals'
import { me } from '../account.js'
import { begunDownloads } from '../downloads/begun-downloads.js'
import { toast } from '../parts/toasts.js'
import { contentsText } from '../uploads/chosen-files.js'
import { isMany, needsDecision, type UploadItem, unfinishedStates, uploadItems } from '../uploads/upload-items.js'
import { say } from '../words/say.js'
import { shownName } from './download-rows.js'
import { notify } from './notifications.js'
import { isTrayKeptOpen } from './opening.js'

/** What stands before the title of the page, so that an end is seen in the bar of tabs; empty once the page was seen. */
export const titleMark = signal('')

const told = new WeakSet<UploadItem>()
const toldDownloads = new Set<number>()

/** Tells of ends until the returned function is called: in the title, by a message and, if wanted, by the browser. */
export function tellEnds(): () => void {
  const onSeen = () => {
    if (!document.hidden) titleMark.value = ''
  }
  document.addEventListener('visibilitychange', onSeen)
  const endUploads = effect(tellUploads)
  const endDownloads = effect(tellDownloads)
  return () => {
    document.removeEventListener('visibilitychange', onSeen)
    endUploads()
    endDownloads()
  }
}

/** Once for all that are sent one after another. */
function tellUploads(): void {
  const items = uploadItems.value
  const states = items.map(({ status }) => status.value.state)
  for (const [index, item] of items.entries()) if (unfinishedStates.includes(states[index]!)) told.delete(item)
  if (!me.peek() || states.some((state) => unfinishedStates.includes(state))) return
  const fresh = items.filter((item) => !told.has(item))
  for (const item of fresh) told.add(item)
  const needs = fresh.filter(needsDecision).length
  const done = fresh.filter(({ status }) => status.peek().state === 'done')
  if (done.length > 0) tell('good', say('tray.toldUploaded', { what: namesOf(done) }))
  if (needs > 0) tell('bad', say('tray.toldNeeds', { count: needs }))
}

function tellDownloads(): void {
  for (const { key, ended, download } of begunDownloads.value) {
    if (ended === null || toldDownloads.has(key)) continue
    toldDownloads.add(key)
    const what = shownName(download)
    if (ended.state === 'done') tell('good', say('tray.toldDownloaded', { what }))
    if (ended.state === 'failed') tell('bad', say('tray.toldNotDownloaded', { what }))
  }
}

function tell(tone: 'good' | 'bad', words: string): void {
  // Otherwise the rows say it: the tray opens by itself when something needs a decision.
  if (tone === 'good' && !isTrayKeptOpen()) toast({ tone, title: words })
  if (!document.hidden) return
  titleMark.value = tone === 'bad' ? '! ' : titleMark.peek() || '✓ '
  notify(words)
}

function namesOf(items: readonly UploadItem[]): string {
  const [only] = items
  if (only && items.length === 1 && !isMany(only)) return only.title
  const contents = { files: 0, emptyFolders: 0 }
  for (const { status } of items) {
    contents.files += status.peek().contents.files
    contents.emptyFolders += status.peek().contents.emptyFolders
  }
  return contentsText(contents)
}
