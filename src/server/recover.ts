import type { Publication } from '../protocol/folder-jobs.js'
import { restoreFiles } from './folders/restored-tally.js'
import { percentOf } from './jobs/percent.js'
import type { AccountStore } from './stores/accounts.js'
import type { PublishedFiles } from './stores/files.js'
import type { HistoryEntry, JobHistory, PublishedUpload } from './stores/history.js'
import type { JobFiles } from './stores/job-files.js'
import { doneAfterAll, endedWithServer, expired, publishedTogether } from './stores/lost-jobs.js'
import { numberedName } from './stores/numbered-name.js'
import type { AbandonedPartial, Partials } from './stores/partials.js'
import type { AbandonedStage, Stages } from './stores/stages.js'
import type { TableLeftover, TableStore } from './stores/tables.js'
import { describePublished } from './transfers/ended-uploads.js'
import { offsetOfKept } from './transfers/kept-uploads.js'
import { type KeptUpload, type ResumeState, resumeStateSchema } from './transfers/resume-state.js'

export interface RecoveryServices {
  files: Pick<PublishedFiles, 'find'>
  partials: Partials
  stages: Pick<Stages, 'listAbandoned' | 'finish' | 'remove'>
  history: JobHistory
  jobFiles: Pick<JobFiles, 'list'>
  accounts: AccountStore
  tables: Pick<TableStore, 'findLeftovers' | 'removeLeftover'>
  keepPartialMs: number
}

/** What an earlier run left, and how to handle it. */
export interface Findings {
  /** Uploads that can be resumed. */
  resumable: (KeptUpload & { size: number })[]
  /** Partial files that no client can resume, and resume states of published files: to be removed. */
  leftovers: { id: string; bytes: number | null; why: string }[]
  /** Files of unfinished imports: to be removed. */
  tableLeftovers: TableLeftover[]
  /** Files to be published together: their publish is finished if it was decided, or they are removed. */
  stages: AbandonedStage[]
  /** Jobs that were running, with the states to record. */
  ended: HistoryEntry[]
}

/**
 * Repairs the data folder after a crash, before the server listens: resumable uploads are kept with their actual
 * offset, publishes of many files that were decided are finished, other partials and unfinished imports are removed, and jobs that were running are recorded as failed. Returns
 * the resumable uploads.
 */
export async function recover(services: RecoveryServices): Promise<KeptUpload[]> {
  const findings = await examine(services)
  await settle(findings, services)
  return findings.resumable
}

/** Inspects the remains of earlier runs without changing them. */
export async function examine(services: RecoveryServices): Promise<Findings> {
  const { files, partials, history, jobFiles, accounts, tables, keepPartialMs } = services
  const stages = await services.stages.listAbandoned()
  const tableLeftovers = await tables.findLeftovers()
  const findings: Findings = { resumable: [], leftovers: [], tableLeftovers, stages, ended: [] }
  const published = new Map<string, PublishedFile>()
  for (const partial of await partials.listAbandoned()) {
    const { id, size } = partial
    const resumeState = resumeStateSchema.safeParse(partial.state).data
    const known = await history.find(id)
    const why = await unfitBecause(partial, resumeState, known)
    if (why) findings.leftovers.push({ id, bytes: size, why })
    else {
      const offset = offsetOfKept(resumeState!, size!)
      findings.resumable.push({ id, resumeState: resumeState!, size: size!, offset, lastUsedAt: partial.modifiedAt })
    }
    const file = size === null && resumeState && (await publishedBy(resumeState))
    if (file) published.set(id, file)
  }
  const kept = new Set(findings.resumable.map(({ id }) => id))
  for (const entry of await history.unfinished({ accountId: null })) {
    const { id } = entry.job
    // A form with several files has a partial for each, with a number after the id.
    const left = findings.leftovers.filter((leftover) => leftover.id.split('.')[0] === id)
    const stage = stages.find((each) => each.id === id)
    if (stage?.published) findings.ended.push(endOfTogether(entry, stage.published))
    else if (!kept.has(id)) {
      const ended = endOf(entry, published.get(id), left)
      const isEach = entry.job.files !== null && !stage
      findings.ended.push(isEach ? { ...ended, ...(await restoreFiles(ended.job, jobFiles)) } : ended)
    }
  }
  return findings

  async function unfitBecause(
    partial: AbandonedPartial,
    resumeState: ResumeState | undefined,
    known: HistoryEntry | undefined,
  ) {
    if (partial.size === null) return 'its upload has ended'
    if (!resumeState) return 'its upload cannot be resumed'
    if (resumeState.partOf !== null) return 'its job of many files has ended'
    if (known?.job.endedAt) return `its upload is ${known.job.state}`
    if (partial.modifiedAt.getTime() + keepPartialMs < Date.now()) return hasExpired
    const account = await accounts.get(resumeState.accountId)
    if (!account || account.disabled) return 'its account is gone, or disabled'
    return undefined
  }

  /** Only the publish removes the bytes and keeps the resume state. */
  async function publishedBy({ space, name, length, metadata, request }: ResumeState) {
    for (let n = 1; ; n++) {
      const file = await files.find(space, numberedName(name, n))
      if (file && file.size === length) return { ...describePublished(metadata, file), length, name: file.name }
      if (!file || request === null) return undefined
    }
  }
}

/** Makes the repairs that `examine` found necessary. */
export async function settle(
  findings: Findings,
  { partials, stages, history, tables }: RecoveryServices,
): Promise<void> {
  for (const { id, published } of findings.stages) await (published ? stages.finish(id) : stages.remove(id))
  for (const leftover of findings.tableLeftovers) await tables.removeLeftover(leftover)
  for (const { id } of findings.leftovers) await partials.remove(id)
  for (const { id, offset, size } of findings.resumable) {
    if (offset === size) continue
    const partial = await partials.take(id)
    await partial?.truncate(offset)
    await partial?.sync()
    await partial?.close()
  }
  for (const entry of findings.ended) await history.end(entry)
}

/** A file that an upload has published before the server ended. */
interface PublishedFile extends PublishedUpload {
  length: number
  name: string
}

const hasExpired = 'it has expired'

/** The final record of a job whose files are published together after all. */
function endOfTogether(entry: HistoryEntry, published: Publication): HistoryEntry {
  return { ...entry, job: publishedTogether(entry.job, published, endTimeOf(entry.job)), published }
}

/** The system's clock may have been set back since the start. */
function endTimeOf({ startedAt }: HistoryEntry['job']): string {
  return new Date(Math.max(Date.now(), Date.parse(startedAt ?? '') || 0)).toISOString()
}

/** The final record of a job that an earlier run had started: with the bytes found on disk, or none. */
function endOf(entry: HistoryEntry, published: PublishedFile | undefined, left: Findings['leftovers']): HistoryEntry {
  const job = { ...entry.job, rate: null, endedAt: endTimeOf(entry.job) }
  if (published) {
    const { length, name, ...uploaded } = published
    return { ...entry, job: { ...doneAfterAll(job, length, job.endedAt), file: name }, uploaded }
  }
  const bytes = left.reduce((sum, leftover) => sum + (leftover.bytes ?? 0), 0)
  const { code, message, status } = left.some(({ why }) => why === hasExpired) ? expired() : endedWithServer()
  const error = { code, message, status }
  return {
    ...entry,
    job: { ...job, state: 'failed', bytes, percent: percentOf(bytes, job.totalBytes, 'failed'), error },
  }
}
