import { join } from 'node:path'
import { Problem } from '../../protocol/problems.js'
import { type ColumnType, tableNamePattern } from '../../protocol/tables.js'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Jobs } from '../jobs/jobs.js'
import { endByError } from '../jobs/outcome.js'
import type { Log } from '../log.js'
import { accountName } from '../stores/accounts.js'
import type { FileStore } from '../stores/files.js'
import type { StagedImport, StoredImport, StoredTable, TableStore } from '../stores/tables.js'
import type { SpaceReservations } from '../transfers/space.js'
import { turnOf } from '../transfers/uploads.js'
import type { CsvWishes } from './csv-plan.js'
import { Gate } from './gate.js'
import { importCsv } from './import.js'
import type { ImportedCsv } from './import-messages.js'
import { requireEngine } from './unavailable.js'

export interface ImportServices {
  files: FileStore
  tables: TableStore
  jobs: Jobs
  space: SpaceReservations
  log: Log
  importMemoryBytes: number
  importThreads: number
  /** Throws when the account may not publish any more. */
  checkAccess(accountId: number): Promise<void>
}

export interface ImportRequest {
  identity: Identity
  filename: string
  /** By default from the file's name. */
  table?: string | undefined
  wishes: CsvWishes
  skipBadLines?: boolean | undefined
  /** Drop spaces around text. */
  trim?: boolean | undefined
  jobId: string | null
  waitMs: number
  /** Aborts when whoever waits for the turn has left. The import itself belongs to the account, and goes on. */
  left: AbortSignal
}

export interface StartedImport {
  job: Job
  /** Rejects with the problem to answer with. A rejection that nobody waits for is not an error. */
  imported: Promise<StoredImport>
}

/** Imports files into tables: claim → hard link → the engine's process → room → publish → done. One at a time on the server. */
export class Imports {
  readonly #services: ImportServices
  readonly #gate = new Gate(1)

  constructor(services: ImportServices) {
    this.#services = services
  }

  /**
   * Claims a slot and begins. Throws `file-not-found`, `invalid-request` for a table's name, `tables-unavailable`, and what
   * `Jobs.claim` throws.
   */
  async start(request: ImportRequest): Promise<StartedImport> {
    const { jobs, files } = this.#services
    const { account } = request.identity
    requireEngine()
    const table = request.table ?? tableNameOf(request.filename)
    const file = await files.find(account, request.filename)
    if (!file) throw missing(request.filename)
    const job = await jobs.claim(
      {
        kind: 'import',
        id: request.jobId,
        accountId: account.id,
        account: accountName(account),
        file: request.filename,
        table,
        totalBytes: file.size,
      },
      turnOf(request),
    )
    const imported = this.#run(job, table, request)
    imported.catch(() => {})
    return { job, imported }
  }

  async #run(job: Job, table: string, request: ImportRequest): Promise<StoredImport> {
    const { jobs, tables, space, checkAccess } = this.#services
    const { account } = request.identity
    const staged = tables.stage(job.id)
    let release = () => {}
    try {
      const { file, result } = await this.#gate.pass(job.signal, () => {
        jobs.startClaimed(job)
        return this.#import(job, table, request, staged)
      })
      job.count(file.size - job.bytes)
      const { columns, rows, dateColumn, skipped, notes, bytes } = result
      // What it takes is known only now, and is on the disk already.
      release = (await space.reserve(account, bytes, 0, () => bytes)).release
      await checkAccess(account.id)
      job.commit()
      const from = { file: file.name, sha256: file.sha256, sourceBytes: file.size }
      const record = { ...from, columns, rows, dateColumn, skipped, notes, bytes }
      const stored = await tables.publish(staged, account, table, record)
      await this.#cleanUp(staged)
      job.rows = rows
      job.end({ state: 'done' })
      return stored
    } catch (error) {
      const cleanedUp = await this.#cleanUp(staged)
      const problem = endByError(job, error, cleanedUp)
      // Nobody may be waiting for the answer that would log it.
      if (problem.code === 'internal') this.#services.log.error(`The import ${job.id} failed`, problem.cause)
      throw problem
    } finally {
      release()
    }
  }

  /** False where something is left: the import must end all the same, or it would hold its slot for ever. */
  async #cleanUp(staged: StagedImport): Promise<boolean> {
    try {
      await staged.remove()
      return true
    } catch (error) {
      this.#services.log.error('What an import left could not be removed', error)
      return false
    }
  }

  async #import(job: Job, table: string, request: ImportRequest, staged: StagedImport) {
    const { files, tables, importMemoryBytes, importThreads } = this.#services
    const { account } = request.identity
    const file = await files.linkTo(account, request.filename, join(staged.folder, staged.source))
    if (!file) throw missing(request.filename)
    job.totalBytes = file.size
    const known = await tables.find(account, table)
    const result: ImportedCsv = await importCsv({
      folder: staged.folder,
      source: staged.source,
      copy: staged.copy,
      output: staged.output,
      wishes: { ...request.wishes, earlierTypes: known ? earlierTypes(known) : {} },
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

/** From a file's name: `2024 Sales.csv` becomes `_2024_sales`. Throws `invalid-request` where nothing is left of it. */
export function tableNameOf(filename: string): string {
  const base = filename.slice(filename.lastIndexOf('/') + 1).replace(/(?<!^)\.[^.]*$/, '')
  const plain = base.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const name = plain.replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '')
  const table = `${/^\d/.test(name) ? '_' : ''}${name}`.slice(0, 63)
  if (tableNamePattern.test(table)) return table
  throw new Problem('invalid-request', `table: "${filename}" gives no name for a table; say one.`, { field: 'table' })
}

/** What the newest import that had values in a column took it for. One that was empty says nothing. */
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
