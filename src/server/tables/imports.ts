import { join } from 'node:path'
import { Problem } from '../../protocol/problems.js'
import { type ColumnType, tableNamePattern } from '../../protocol/tables.js'
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
import type { StagedImport, StoredImport, StoredTable, TableStore } from '../stores/tables.js'
import type { CsvOptions } from './csv-plan.js'
import { importCsv } from './import.js'
import type { ImportedCsv } from './import-messages.js'
import { requireEngine } from './unavailable.js'

export interface ImportServices {
  files: Pick<PublishedFiles, 'find' | 'place'>
  tables: TableStore
  jobs: Jobs
  space: SpaceReservations
  log: Log
  importMemoryBytes: number
  importThreads: number
  /** Milliseconds after which a running import fails; null for no limit. */
  importTimeoutMs: number | null
  /** Throws if the account may no longer publish. */
  checkAccess(accountId: number): Promise<void>
}

export interface ImportRequest extends JobRequest {
  filename: string
  /** By default derived from the file's name. */
  table?: string | undefined
  csvOptions: CsvOptions
  skipBadLines?: boolean | undefined
  /** Trim spaces around text. */
  trim?: boolean | undefined
  /**
   * Aborted when the client that waits for a slot disconnects. A started import belongs to the account and continues.
   */
  left: AbortSignal
}

export interface StartedImport {
  job: Job
  /** Rejects with the problem of the response. An unhandled rejection is not an error. */
  imported: Promise<StoredImport>
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
   * Claims a slot and starts the import. Throws `file-not-found`, `invalid-request` for a table's name,
   * `tables-unavailable`, and the errors of `Jobs.admit`.
   */
  async start(request: ImportRequest): Promise<StartedImport> {
    const { jobs, files, log } = this.#services
    const { account } = request.identity
    requireEngine()
    const table = request.table ?? tableNameOf(request.filename)
    const file = await files.find(account, request.filename)
    if (!file) throw missing(request.filename)
    const admission = jobs.admit(
      {
        kind: 'import',
        id: request.jobId,
        accountId: account.id,
        account: accountName(account),
        file: request.filename,
        table,
        totalBytes: file.size,
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

  async #work(run: JobRun, table: string, request: ImportRequest): Promise<StoredImport> {
    const { tables, space, checkAccess } = this.#services
    const { account } = request.identity
    const { job } = run
    const staged = tables.stage(job.id)
    let reservation: Reservation | undefined
    run.onEnd(() => reservation?.release())
    run.onEnd(() => staged.remove())
    const { file, result } = await this.#places.run(job.account, run.signal, () => {
      run.start()
      return this.#inTime(job, () => this.#import(job, table, request, staged))
    })
    job.count(file.size - job.bytes)
    const { columns, rows, dateColumn, skipped, notes, bytes, outputSha256 } = result
    // The size is known only now, and is already on the disk.
    reservation = await space.reserve(account, bytes, 0, () => bytes)
    await staged.prepare(run.signal)
    await checkAccess(account.id)
    job.commit()
    const from = { file: file.name, sha256: file.sha256, sourceBytes: file.size }
    const record = { ...from, columns, rows, dateColumn, skipped, notes, bytes, outputSha256 }
    const [stored] = await tables.publish([{ staged, record }], account, table)
    job.rows = rows
    return stored!
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

  async #import(job: Job, table: string, request: ImportRequest, staged: StagedImport) {
    const { files, tables, importMemoryBytes, importThreads } = this.#services
    const { account } = request.identity
    const file = await files.place(account, request.filename, join(staged.folder, staged.source), job.signal)
    if (!file) throw missing(request.filename)
    job.totalBytes = file.size
    const known = await tables.find(account, table)
    const result: ImportedCsv = await importCsv({
      folder: staged.folder,
      source: staged.source,
      copy: staged.copy,
      output: staged.output,
      csvOptions: { ...request.csvOptions, earlierTypes: known ? earlierTypes(known) : {} },
      skipBadLines: request.skipBadLines ?? false,
      trim: request.trim ?? false,
      memoryBytes: importMemoryBytes,
      threads: importThreads,
      signal: job.signal,
      onProgress: (part) => job.count(Math.max(0, Math.floor(part * file.size) - job.bytes)),
    })
    return { file, result }
  }
}

/**
 * Derives a name from a file: `2024 Sales.csv` becomes `_2024_sales`. Throws `invalid-request` if nothing remains of
 * it.
 */
export function tableNameOf(filename: string): string {
  const base = filename.slice(filename.lastIndexOf('/') + 1).replace(/(?<!^)\.[^.]*$/, '')
  const plain = base.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const name = plain.replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '')
  const table = `${/^\d/.test(name) ? '_' : ''}${name}`.slice(0, 63)
  if (tableNamePattern.test(table)) return table
  throw new Problem('invalid-request', `table is missing: "${filename}" gives no name for a table.`, { field: 'table' })
}

/** The type of a column in the newest import that had values in it. */
function earlierTypes({ imports }: StoredTable): Record<string, ColumnType> {
  const types: [string, ColumnType][] = []
  for (const { columns, rows } of imports.toReversed()) {
    for (const { name, type, nulls } of columns) if (nulls < rows) types.push([name, type])
  }
  return Object.fromEntries(types)
}

function missing(name: string): Problem {
  return new Problem('file-not-found', `There is no file "${name}".`, { name })
}
