import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImportCheck } from '../../protocol/import-checks.js'
import { Problem } from '../../protocol/problems.js'
import { tableNameOf } from '../../protocol/table-name.js'
import { formatDuration } from '../../protocol/units.js'
import { Semaphore } from '../concurrency/semaphore.js'
import type { Job } from '../jobs/job.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import type { Log } from '../log.js'
import { accountName } from '../stores/accounts.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Reservation, SpaceReservations } from '../stores/space.js'
import type { NewImport, StagedImport, StoredImport, TableStore } from '../stores/tables.js'
import type { StartChild } from './child.js'
import type { CsvOptions } from './csv-plan.js'
import { earlierTypes, notesOnRepeated, refuseRepeated } from './earlier-imports.js'
import { checkImport, importCsv } from './import.js'
import { requireEngine } from './unavailable.js'

export interface ImportServices {
  files: Pick<PublishedFiles, 'find' | 'place'>
  tables: TableStore
  jobs: Jobs
  space: SpaceReservations
  log: Log
  /** Starts the processes of imports. */
  start: StartChild
  importMemoryBytes: number
  importThreads: number
  /** The most bytes of a file once it is decompressed. */
  importMaxBytes: number
  /** Milliseconds after which a running import fails; null for no limit. */
  importTimeoutMs: number | null
  /** Throws if the account may no longer publish. */
  checkAccess(accountId: number): Promise<void>
}

export interface ImportRequest extends JobRequest {
  /** At least one. All of them are imported, or none. */
  filenames: readonly string[]
  /** By default derived from the name of a single file. */
  table?: string | undefined
  /** The rows are those of the table from then on, instead of being added. Default false. */
  replaces?: boolean | undefined
  /** Fails with `already-imported` if the table has the rows of a file with the same bytes. Default false. */
  once?: boolean | undefined
  csvOptions: CsvOptions
  skipBadLines?: boolean | undefined
  /** Trim spaces around text. */
  trim?: boolean | undefined
  /**
   * Aborted when the client that waits for a slot disconnects. A started import belongs to the account and continues.
   */
  left: AbortSignal
}

/** A file to be read as an import would. Aborted when the client disconnects. */
export interface ImportCheckRequest extends JobRequest {
  filename: string
  /** A table whose columns have types already; by default derived from the name of the file. */
  table?: string | undefined
  /** Its rows would be replaced, so that their types do not count. Default false. */
  replaces?: boolean | undefined
  csvOptions: CsvOptions
  trim?: boolean | undefined
  /** Called once, when the job exists. */
  begin(job: Job): void
}

export interface StartedImport {
  job: Job
  /** Rejects with the problem of the response. An unhandled rejection is not an error. */
  imported: Promise<StoredImport[]>
}

/**
 * Imports files into tables: claim → a slot of the server → hard link → the engine's process → space → publish → done.
 */
export class Imports {
  readonly #services: ImportServices
  /** One per account, so that another account's import never waits for those of a single one. */
  readonly #places = new Semaphore({ slots: 2, slotsPerKey: 1 })

  constructor(services: ImportServices) {
    this.#services = services
  }

  /**
   * Claims a slot and starts the import. Throws `file-not-found`, `already-imported`, `invalid-request` for a table's
   * name, `tables-unavailable`, and the errors of `Jobs.admit`.
   */
  async start(request: ImportRequest): Promise<StartedImport> {
    const { jobs, files, log } = this.#services
    const { account } = request.identity
    requireEngine()
    const table = request.table ?? tableOf(request.filenames)
    const there = await this.#earlier(table, request)
    let totalBytes = 0
    for (const filename of request.filenames) {
      const file = await files.find(account, filename)
      if (!file) throw missing(filename)
      if (request.once) refuseRepeated(table, there, file)
      totalBytes += file.size
    }
    const admission = jobs.admit(
      {
        kind: 'import',
        id: request.jobId,
        accountId: account.id,
        account: accountName(account),
        file: request.filenames[0]!,
        table,
        totalBytes,
        startsLater: true,
      },
      queueWaitOf(request),
    )
    const { job, result: imported } = await runJob(admission, (run) => this.#work(run, table, request))
    imported.catch((problem: Problem) => {
      // The request may already have been answered, so the error would not be logged there.
      if (problem.code === 'internal') log.error(`The import ${job.id} failed`, problem.cause)
    })
    return { job, imported }
  }

  /**
   * Lists what an import of the file would be refused for, as a job that publishes nothing. Throws `file-not-found`,
   * `tables-unavailable`, `invalid-request`, and the errors of `Jobs.admit`.
   */
  async check(request: ImportCheckRequest): Promise<ImportCheck> {
    const { jobs, files } = this.#services
    const { identity, filename, jobId: id, table = tableNameOf(filename) } = request
    const { account } = identity
    requireEngine()
    const file = await files.find(account, filename)
    if (!file) throw missing(filename)
    const owner = { accountId: account.id, account: accountName(account) }
    const admission = jobs.admit(
      { kind: 'import', id, ...owner, file: filename, totalBytes: file.size, startsLater: true },
      queueWaitOf(request),
    )
    const { result } = await runJob(admission, async (run) => {
      request.begin(run.job)
      run.stopWhenRevoked(identity)
      const signal = AbortSignal.any([run.signal, request.left])
      return this.#places.run(run.job.account, signal, () => {
        run.start()
        return this.#inTime(run.job, () => this.#check(run, signal, { ...request, table }))
      })
    })
    return result
  }

  async #check(run: JobRun, signal: AbortSignal, request: ImportCheckRequest): Promise<ImportCheck> {
    const { tables, files, start, importMemoryBytes, importThreads, importMaxBytes } = this.#services
    const { identity, filename, table, csvOptions, trim = false } = request
    const { job } = run
    const staged = tables.stage(job.id)
    run.onEnd(() => staged.remove())
    const file = await files.place(identity.account, filename, join(staged.folder, staged.source), signal)
    if (!file) throw missing(filename)
    job.totalBytes = file.size
    const there = table === undefined || request.replaces ? undefined : await tables.find(identity.account, table)
    const checked = await checkImport({
      ...namesOf(staged),
      csvOptions: { ...csvOptions, earlierTypes: earlierTypes(there?.imports ?? []) },
      skipBadLines: false,
      trim,
      memoryBytes: importMemoryBytes,
      threads: importThreads,
      maxBytes: importMaxBytes,
      signal,
      start,
      onProgress: (part) => job.count(Math.max(0, Math.floor(part * file.size) - job.bytes)),
    })
    job.count(file.size - job.bytes)
    return { file: file.name, ...checked }
  }

  async #work(run: JobRun, table: string, request: ImportRequest): Promise<StoredImport[]> {
    const { tables, space, checkAccess } = this.#services
    const { account } = request.identity
    const { job } = run
    const imports: NewImport[] = []
    let reservation: Reservation | undefined
    run.onEnd(() => reservation?.release())
    await this.#places.run(job.account, run.signal, () => {
      run.start()
      return this.#inTime(job, async () => {
        for (const filename of request.filenames) {
          imports.push(await this.#import(run, table, { ...request, filename }, imports))
        }
      })
    })
    // Their sizes are known only now, and they are already on the disk.
    const bytes = imports.reduce((sum, { record }) => sum + record.bytes, 0)
    reservation = await space.reserve(account, bytes, await this.#replacedBytes(table, request), () => bytes)
    for (const { staged } of imports) await staged.prepare(run.signal)
    await checkAccess(account.id)
    job.commit()
    const stored = await tables.publish(imports, account, table, { replaces: request.replaces ?? false })
    job.rows = stored.reduce((sum, { rows }) => sum + rows, 0)
    return stored
  }

  /** Fails the job if it runs for too long: others wait for its slot. */
  async #inTime<Result>(job: Job, work: () => Promise<Result>): Promise<Result> {
    const { importTimeoutMs } = this.#services
    if (importTimeoutMs === null) return work()
    const limit = formatDuration(importTimeoutMs)
    const message = `The import was ended: it ran for ${limit}, the most that it may ("filejobs serve --import-timeout").`
    const timer = setTimeout(() => job.abort(new Problem('import-too-long', message)), importTimeoutMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
    }
  }

  /** `others` are the imports of the same job before it. */
  async #import(
    run: JobRun,
    table: string,
    request: ImportRequest & { filename: string },
    others: readonly NewImport[],
  ): Promise<NewImport> {
    const { files, tables, start, importMemoryBytes, importThreads, importMaxBytes } = this.#services
    const { identity, filename } = request
    const { job } = run
    const staged = tables.stage(others.length === 0 ? job.id : `${job.id}.${others.length}`)
    run.onEnd(() => staged.remove())
    const file = await files.place(identity.account, filename, join(staged.folder, staged.source), job.signal)
    if (!file) throw missing(filename)
    const before = job.bytes
    // Those that follow are counted as they were at the start.
    job.totalBytes = Math.max(before + file.size, request.filenames.length === 1 ? 0 : (job.totalBytes ?? 0))
    const there = [...others.map(({ record }) => record).toReversed(), ...(await this.#earlier(table, request))]
    if (request.once) refuseRepeated(table, there, file)
    const { columns, rows, dateColumn, skipped, notes, bytes, outputSha256 } = await importCsv({
      ...namesOf(staged),
      csvOptions: { ...request.csvOptions, earlierTypes: earlierTypes(there) },
      skipBadLines: request.skipBadLines ?? false,
      trim: request.trim ?? false,
      memoryBytes: importMemoryBytes,
      threads: importThreads,
      maxBytes: importMaxBytes,
      signal: job.signal,
      start,
      onProgress: (part) => job.count(Math.max(0, before + Math.floor(part * file.size) - job.bytes)),
    })
    job.count(before + file.size - job.bytes)
    // Where the files are in a bucket, it is a copy.
    await rm(join(staged.folder, staged.source), { force: true })
    const from = { file: file.name, sha256: file.sha256, sourceBytes: file.size }
    const told = [...notes, ...notesOnRepeated(table, there, file)]
    return { staged, record: { ...from, columns, rows, dateColumn, skipped, notes: told, bytes, outputSha256 } }
  }

  /** The imports that the new ones are added to, newest first. */
  async #earlier(table: string, { identity, replaces }: ImportRequest): Promise<readonly StoredImport[]> {
    if (replaces) return []
    return (await this.#services.tables.find(identity.account, table))?.imports ?? []
  }

  async #replacedBytes(table: string, { identity, replaces }: ImportRequest): Promise<number> {
    const there = replaces ? await this.#services.tables.find(identity.account, table) : undefined
    return there?.imports.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0
  }
}

function namesOf({ folder, source, copy, text, output }: StagedImport) {
  return { folder, source, copy, text, output }
}

/** Throws `invalid-request` if there is no name to derive one from. */
function tableOf(filenames: readonly string[]): string {
  const [filename] = filenames
  const table = filenames.length === 1 ? tableNameOf(filename!) : undefined
  if (table !== undefined) return table
  const why = filenames.length === 1 ? `"${filename}" gives no name for a table` : 'several files need the name of one'
  throw new Problem('invalid-request', `table is missing: ${why}.`, { field: 'table' })
}

function missing(name: string): Problem {
  return new Problem('file-not-found', `There is no file "${name}".`, { name })
}
