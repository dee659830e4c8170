import { Problem } from '../protocol/problems.js'
import { percentOf } from './jobs/job.js'
import type { AccountStore } from './stores/accounts.js'
import type { FileStore, KeptPartial } from './stores/files.js'
import type { HistoryEntry, JobHistory } from './stores/history.js'
import type { TableLeftover, TableStore } from './stores/tables.js'
import type { KeptUpload } from './transfers/resumable.js'
import { expired } from './transfers/resumable-upload.js'
import { type UploadNote, uploadNoteSchema } from './transfers/upload-note.js'

export interface RecoveryServices {
  files: FileStore
  history: JobHistory
  accounts: AccountStore
  tables: Pick<TableStore, 'findLeftovers' | 'removeLeftover'>
  keepPartialMs: number
}

/** What an earlier run left, and what is to become of it. */
export interface Findings {
  /** Uploads that can go on. */
  resumable: (KeptUpload & { size: number })[]
  /** Partials that nobody can go on with, and notes of what is published: to be removed. */
  leftovers: { id: string; bytes: number | null; why: string }[]
  /** What imports left that never came to their end: to be removed. */
  tableLeftovers: TableLeftover[]
  /** Jobs that were under way, as they are to be recorded. */
  ended: HistoryEntry[]
}

/**
 * Brings the data folder in order after a crash, before anybody is served: what is resumable is kept with its real
 * offset, other partials and unfinished imports are removed, and jobs that were running are recorded as failed. Returns what can go on.
 */
export async function recover(services: RecoveryServices): Promise<KeptUpload[]> {
  const findings = await examine(services)
  await settle(findings, services)
  return findings.resumable
}

/** Looks at what earlier runs left and changes nothing. */
export async function examine(services: RecoveryServices): Promise<Findings> {
  const { files, history, accounts, tables, keepPartialMs } = services
  const findings: Findings = { resumable: [], leftovers: [], tableLeftovers: await tables.findLeftovers(), ended: [] }
  const published = new Map<string, UploadNote>()
  for (const partial of await files.listPartials()) {
    const { id, size } = partial
    const note = uploadNoteSchema.safeParse(partial.note).data
    const known = await history.find(id)
    const why = await unfitBecause(partial, note, known)
    if (why) findings.leftovers.push({ id, bytes: size, why })
    else {
      const offset = offsetOf(note!, size!)
      findings.resumable.push({ id, note: note!, size: size!, offset, lastUsedAt: partial.modifiedAt })
    }
    if (size === null && note && (await isThere(note))) published.set(id, note)
  }
  const kept = new Set(findings.resumable.map(({ id }) => id))
  for (const entry of await history.unfinished()) {
    const { id } = entry.job
    // A form with several files has a partial for each, numbered behind the id.
    const left = findings.leftovers.filter((leftover) => leftover.id.split('.')[0] === id)
    if (!kept.has(id)) findings.ended.push(endOf(entry, published.get(id), left))
  }
  return findings

  async function unfitBecause(partial: KeptPartial, note: UploadNote | undefined, known: HistoryEntry | undefined) {
    if (partial.size === null) return 'its upload has ended'
    if (!note) return 'its upload cannot be resumed'
    if (known?.job.endedAt) return `its upload is ${known.job.state}`
    if (partial.modifiedAt.getTime() + keepPartialMs < Date.now()) return hasExpired
    const account = await accounts.get(note.accountId)
    if (!account || account.disabled) return 'its account is gone, or disabled'
    return undefined
  }

  /** Only the publish takes the bytes away and leaves the note. */
  async function isThere({ space, name, length }: UploadNote): Promise<boolean> {
    return (await files.find(space, name))?.size === length
  }
}

/** Does what `examine` found to be done. */
export async function settle(findings: Findings, { files, history, tables }: RecoveryServices): Promise<void> {
  for (const leftover of findings.tableLeftovers) await tables.removeLeftover(leftover)
  for (const { id } of findings.leftovers) await files.removePartial(id)
  for (const { id, offset, size } of findings.resumable) {
    if (offset === size) continue
    const partial = await files.reopenPartial(id)
    await partial?.truncate(offset)
    await partial?.sync()
    await partial?.close()
  }
  for (const entry of findings.ended) history.append(entry)
}

/**
 * The bytes that count: not those that still awaited their checksum, and not all of them, since a client that hears of
 * the whole length takes the upload for published.
 */
function offsetOf({ length, uncheckedFrom }: UploadNote, size: number): number {
  const most = length === null ? size : Math.max(0, length - 1)
  return Math.min(size, uncheckedFrom ?? size, most)
}

const hasExpired = 'it has expired'

/** How a job ended that an earlier run had under way: with the bytes that are found of it, none where it left no trace. */
function endOf(entry: HistoryEntry, published: UploadNote | undefined, left: Findings['leftovers']): HistoryEntry {
  const job = { ...entry.job, rate: null, endedAt: new Date().toISOString() }
  if (published?.length != null) {
    const { length } = published
    return { ...entry, job: { ...job, state: 'done', bytes: length, totalBytes: length, percent: 100 } }
  }
  const bytes = left.reduce((sum, leftover) => sum + (leftover.bytes ?? 0), 0)
  const { code, message, status } = left.some(({ why }) => why === hasExpired)
    ? expired()
    : new Problem('shutting-down', 'The server ended before the job did.')
  const error = { code, message, status }
  return {
    ...entry,
    job: { ...job, state: 'failed', bytes, percent: percentOf(bytes, job.totalBytes, 'failed'), error },
  }
}
