import { signal } from '@preact/signals'
import type { FileRecord } from '../../protocol/files.js'
import { csrfHeader, filePath } from '../../protocol/routes.js'
import { beforeSignOut, me } from '../account.js'
import { Refusal, send, Unreachable } from '../api.js'
import { isMine, onJobEnd } from '../live/job-store.js'

export const undoMs = 10_000

interface Removal {
  file: FileRecord
  /** Whose it is. */
  account: string | undefined
  timer: ReturnType<typeof setTimeout>
  /** Of the version that was deleted: another one under the name stays. */
  entityTag: string | undefined
  tagging: Promise<unknown>
  /** The request, once it is on its way. */
  sent?: Promise<void>
  onEnd(error?: unknown): void
}

const removals = new Map<string, Removal>()
const removed = signal<ReadonlySet<string>>(new Set())

/** Whether this version of a file is as good as gone: it is not shown, also where a listing still has it. */
export function isRemoved(file: FileRecord): boolean {
  return removed.value.has(versionOf(file))
}

/**
 * Removes a file in ten seconds, unless the returned function undoes it. `onEnd` hears when nothing can be undone any
 * more, with an error where the file stays.
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
  // A file that was put there by hand has another tag, which the listing does not tell.
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

/** Removes at once what would be removed soon: the name is wanted for another file, or the time is over. */
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
    await send('DELETE', filePath(removal.file.name), { headers, keepalive: true })
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

// The same bytes have the same entity tag: what was uploaded anew is known by its job.
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

// Requests go out as whoever is signed in: another account may have a file of the same name.
me.subscribe((current) => {
  for (const removal of removals.values()) {
    if (removal.sent || removal.account === current?.account) continue
    end(removal, new Error('The session ended before.'))
  }
})

// Whoever leaves the page does not undo any more.
addEventListener('pagehide', () => {
  for (const { file, timer, entityTag, sent } of removals.values()) {
    clearTimeout(timer)
    if (sent || entityTag === undefined) continue
    const headers = { [csrfHeader]: '1', 'If-Match': entityTag }
    fetch(filePath(file.name), { method: 'DELETE', keepalive: true, headers }).catch(() => {})
  }
  removals.clear()
})

/** A file's time may be a little older than its job: file systems have clocks with coarse steps. */
const clockStepMs = 100
