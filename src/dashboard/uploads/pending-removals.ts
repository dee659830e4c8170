import { signal } from '@preact/signals'
import type { FileRecord } from '../../protocol/files.js'
import { csrfHeader, filePath } from '../../protocol/routes.js'
import { beforeSignOut, me } from '../account.js'
import { callApi, Refusal, Unreachable } from '../api.js'
import { isMine, onJobEnd } from '../live/job-store.js'

export const undoMs = 10_000

interface Removal {
  file: FileRecord
  /** The account that owns it. */
  account: string | undefined
  timer: ReturnType<typeof setTimeout>
  /** The entity tag of the deleted version: another version of the name is kept. */
  entityTag: string | undefined
  tagging: Promise<unknown>
  /** The request, once it is sent. */
  sent?: Promise<void>
  onEnd(error?: unknown): void
}

const removals = new Map<string, Removal>()
const removed = signal<ReadonlySet<string>>(new Set())

/** Whether this version of a file is about to be removed: it is hidden, even if a listing still has it. */
export function isRemoved(file: FileRecord): boolean {
  return removed.value.has(versionOf(file))
}

/**
 * Removes a file after ten seconds, unless the returned function undoes it. `onEnd` is called when it can no longer be
 * undone, with an error if the file was not removed.
 */
export function removeSoon(file: FileRecord, onEnd: (error?: unknown) => void): () => void {
  const { name, sha256 } = file
  const removal: Removal = {
    file,
    account: me.peek()?.account,
    timer: setTimeout(() => settleRemoval(name), undoMs),
    entityTag: sha256 === null ? undefined : `"${sha256}"`,
    tagging: Promise.resolve(),
    onEnd,
  }
  // A file that was copied into the data folder has another entity tag, which the listing lacks.
  if (sha256 === null) {
    removal.tagging = entityTagOf(name).then((tag) => {
      removal.entityTag = tag
    })
    removal.tagging.catch(() => {})
  }
  removals.set(name, removal)
  removed.value = new Set([...removed.peek(), versionOf(file)])
  return () => {
    if (removal.sent || removals.get(name) !== removal) return
    forget(removal)
    show(removal)
  }
}

/** Removes a file now: its name is needed for another file, or the time for undoing has passed. */
export async function settleRemoval(name: string): Promise<void> {
  const removal = removals.get(name)
  if (!removal) return
  clearTimeout(removal.timer)
  removal.sent ??= remove(removal)
  await removal.sent
}

async function remove(removal: Removal): Promise<void> {
  try {
    await removal.tagging
    const headers = { 'If-Match': removal.entityTag ?? '*' }
    await callApi('DELETE', filePath(removal.file.name), { headers, keepalive: true })
    end(removal)
  } catch (error) {
    const hasChanged = error instanceof Refusal && error.code === 'precondition-failed'
    end(removal, hasChanged ? new Error('It has changed meanwhile, or is gone.') : error)
  }
}

function end(removal: Removal, error?: unknown): void {
  forget(removal)
  if (error !== undefined) show(removal)
  removal.onEnd(error)
}

function forget({ file: { name }, timer }: Removal): void {
  clearTimeout(timer)
  removals.delete(name)
}

function show({ file }: Removal): void {
  removed.value = new Set([...removed.peek()].filter((version) => version !== versionOf(file)))
}

function versionOf({ name, size, sha256, uploadedAt }: FileRecord): string {
  return JSON.stringify([name, size, sha256, uploadedAt])
}

async function entityTagOf(name: string): Promise<string> {
  const answer = await fetch(filePath(name), { method: 'HEAD', cache: 'no-store' }).catch((error: unknown) => {
    throw new Unreachable(error)
  })
  const tag = answer.headers.get('ETag')
  if (!answer.ok || tag === null) throw new Refusal(answer.status, {})
  return tag
}

// An upload of the same bytes has the same entity tag, but its job shows that the file was uploaded again.
onJobEnd((job) => {
  const removal = removals.get(job.file ?? '')
  if (!removal || removal.sent || job.kind !== 'upload' || job.state !== 'done' || !isMine(job)) return
  if (Date.parse(job.startedAt ?? '') < Date.parse(removal.file.uploadedAt) + clockStepMs) return
  forget(removal)
  show(removal)
  removal.onEnd()
})

beforeSignOut(async () => {
  await Promise.all([...removals.keys()].map(settleRemoval))
})

// Requests use the current session: another account may have a file of the same name.
me.subscribe((current) => {
  for (const removal of removals.values()) {
    if (removal.sent || removal.account === current?.account) continue
    end(removal, new Error('The session ended before.'))
  }
})

// After leaving the page the user can no longer undo.
addEventListener('pagehide', () => {
  for (const { file, timer, entityTag, sent } of removals.values()) {
    clearTimeout(timer)
    if (sent || entityTag === undefined) continue
    const headers = { [csrfHeader]: '1', 'If-Match': entityTag }
    fetch(filePath(file.name), { method: 'DELETE', keepalive: true, headers }).catch(() => {})
  }
  removals.clear()
})

/** A file's time may be slightly earlier than its job's: file systems have coarse clocks. */
const clockStepMs = 100
