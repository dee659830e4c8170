import { signal } from '@preact/signals'
import type { FileRecord } from '../../protocol/files.js'
import type { FolderRecord } from '../../protocol/folders.js'
import { csrfHeader, filePath } from '../../protocol/routes.js'
import { beforeSignOut, me } from '../account.js'
import { callApi, Refusal, Unreachable } from '../api.js'
import { isMine, onJobEnd } from '../live/job-store.js'
import { say } from '../words/say.js'

export const undoMs = 10_000

/** A file, or a folder with everything in it, whose name ends with a slash. */
type Removable = FileRecord | FolderRecord

interface Removal {
  entry: Removable
  /** The account that owns it. */
  account: string | undefined
  timer: ReturnType<typeof setTimeout>
  /** The entity tag of the deleted version: another version of the name is kept. A folder has no versions: `*`. */
  entityTag: string | undefined
  tagging: Promise<unknown>
  /** The request, once it is sent. */
  sent?: Promise<void>
  onEnd(error?: unknown): void
}

const removals = new Map<string, Removal>()
const removed = signal<ReadonlySet<string>>(new Set())

/** Whether this version of a file, or this folder, is about to be removed: it is hidden, even if a listing still has it. */
export function isRemoved(entry: Removable): boolean {
  return removed.value.has(versionOf(entry))
}

/**
 * Removes a file or folder after ten seconds, unless the returned function undoes it. `onEnd` is called when it can no
 * longer be undone, with an error if it was not removed.
 */
export function removeSoon(entry: Removable, onEnd: (error?: unknown) => void): () => void {
  const { name } = entry
  const removal: Removal = {
    entry,
    account: me.peek()?.account,
    timer: setTimeout(() => settle(removal), undoMs),
    entityTag: tagOf(entry),
    tagging: Promise.resolve(),
    onEnd,
  }
  // A file that was copied into the data folder has another entity tag, which the listing lacks.
  if (removal.entityTag === undefined) {
    removal.tagging = entityTagOf(name).then((tag) => {
      removal.entityTag = tag
    })
    removal.tagging.catch(() => {})
  }
  removals.set(name, removal)
  removed.value = new Set([...removed.peek(), versionOf(entry)])
  return () => {
    if (removal.sent || removals.get(name) !== removal) return
    forget(removal)
    show(removal)
  }
}

/**
 * Removes now what has this name, lies below it if it is a folder, or is a folder above it: the name is needed for
 * something else.
 */
export async function settleRemoval(name: string): Promise<void> {
  const isInTheWay = ({ entry }: Removal) => isWithin(name, entry.name) || isWithin(entry.name, name)
  await Promise.all([...removals.values()].filter(isInTheWay).map(settle))
}

async function settle(removal: Removal): Promise<void> {
  clearTimeout(removal.timer)
  removal.sent ??= remove(removal)
  await removal.sent
}

async function remove(removal: Removal): Promise<void> {
  try {
    await removal.tagging
    const headers = { 'If-Match': removal.entityTag ?? '*' }
    await callApi('DELETE', filePath(removal.entry.name), { headers, keepalive: true })
    end(removal)
  } catch (error) {
    const hasChanged = error instanceof Refusal && error.code === 'precondition-failed'
    end(removal, hasChanged ? new Error(say('files.removalChanged')) : error)
  }
}

function end(removal: Removal, error?: unknown): void {
  forget(removal)
  if (error !== undefined) show(removal)
  removal.onEnd(error)
}

function forget({ entry: { name }, timer }: Removal): void {
  clearTimeout(timer)
  removals.delete(name)
}

function show({ entry }: Removal): void {
  removed.value = new Set([...removed.peek()].filter((version) => version !== versionOf(entry)))
}

function versionOf(entry: Removable): string {
  if (!('size' in entry)) return JSON.stringify([entry.name])
  const { name, size, sha256, uploadedAt } = entry
  return JSON.stringify([name, size, sha256, uploadedAt])
}

/** Undefined if the listing does not tell it. */
function tagOf(entry: Removable): string | undefined {
  if (!('size' in entry)) return '*'
  return entry.sha256 === null ? undefined : `"${entry.sha256}"`
}

/** Whether it is the same, or lies below that folder. */
function isWithin(name: string, folder: string): boolean {
  return name === folder || (folder.endsWith('/') && name.startsWith(folder))
}

async function entityTagOf(name: string): Promise<string> {
  const answer = await fetch(filePath(name), { method: 'HEAD', cache: 'no-store' }).catch((error: unknown) => {
    throw new Unreachable(error)
  })
  const tag = answer.headers.get('ETag')
  if (!answer.ok || tag === null) throw new Refusal(answer.status, {})
  return tag
}

// An upload of the same bytes has the same entity tag, but its job shows that the file was uploaded again. A folder has
// no tag at all: what has come into it meanwhile is kept, with the rest.
onJobEnd((job) => {
  if (job.kind !== 'upload' || !isMine(job)) return
  for (const removal of [...removals.values()]) {
    const { entry, sent } = removal
    const isFile = 'size' in entry
    const concerns = isFile ? entry.name === job.file && job.state === 'done' : isWithin(job.file ?? '', entry.name)
    if (sent || !concerns) continue
    if (isFile && Date.parse(job.startedAt ?? '') < Date.parse(entry.uploadedAt) + clockStepMs) continue
    end(removal, isFile ? undefined : new Error(say('files.removalFilled')))
    if (isFile) show(removal)
  }
})

beforeSignOut(async () => {
  await Promise.all([...removals.values()].map(settle))
})

// Requests use the current session: another account may have a file of the same name.
me.subscribe((current) => {
  for (const removal of removals.values()) {
    if (removal.sent || removal.account === current?.account) continue
    end(removal, new Error(say('files.removalSignedOut')))
  }
})

// After leaving the page the user can no longer undo.
addEventListener('pagehide', () => {
  for (const { entry, timer, entityTag, sent } of removals.values()) {
    clearTimeout(timer)
    if (sent || entityTag === undefined) continue
    const headers = { [csrfHeader]: '1', 'If-Match': entityTag }
    fetch(filePath(entry.name), { method: 'DELETE', keepalive: true, headers }).catch(() => {})
  }
  removals.clear()
})

/** A file's time may be slightly earlier than its job's: file systems have coarse clocks. */
const clockStepMs = 100
