import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Jobs } from '../jobs/jobs.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { Counters } from '../stores/counters.js'
import type { PublishedFiles, Space } from '../stores/files.js'
import type { TableStore } from '../stores/tables.js'
import type { CsvOptions } from './csv-plan.js'
import type { Imports } from './imports.js'

/** Files that are numbered when they are uploaded, and imported into one table. */
export interface Collection {
  /** Their folder: `FOLDER/ID/NAME`, so that uploading a name twice creates two files. */
  readonly folder: string
  readonly table: string
  readonly csvOptions: CsvOptions
  /** Trim spaces around text. */
  readonly trim: boolean
}

export interface CollectedFile {
  /** Increases over all accounts. */
  readonly id: number
  /** The name in the account's space. */
  readonly name: string
}

export interface CollectionServices {
  files: Pick<PublishedFiles, 'list' | 'remove'>
  tables: TableStore
  imports: Imports
  jobs: Jobs
  counters: Counters
}

/**
 * Manages the files of collections and their imports. It stores no list: the account's files and tables are the source.
 */
export class Collections {
  readonly #services: CollectionServices

  constructor(services: CollectionServices) {
    this.#services = services
  }

  /** The folder of a new file, with a trailing slash. */
  async newFolder({ folder }: Collection): Promise<string> {
    return `${folder}/${await this.#services.counters.next(folder)}/`
  }

  /** Whether an upload or an import of the account is running. */
  async isBusy(account: Account): Promise<boolean> {
    const { jobs } = this.#services
    const name = accountName(account)
    const holding = await Promise.all([jobs.holding('upload', name), jobs.holding('import', name)])
    return holding.flat().length > 0
  }

  /** Starts the import of an uploaded file. If it is rejected, the file is removed. */
  async startImport(identity: Identity, { table, csvOptions, trim }: Collection, filename: string): Promise<Job> {
    const { imports, files } = this.#services
    try {
      const { job } = await imports.start({
        identity,
        filenames: [filename],
        table,
        csvOptions,
        trim,
        jobId: null,
        waitMs: 0,
        left: new AbortController().signal,
      })
      return job
    } catch (error) {
      await files.remove(identity.account, filename)
      throw error
    }
  }

  /** Newest first. */
  async list(space: Space, collection: Collection): Promise<CollectedFile[]> {
    const names = await this.#fileNames(space, `${collection.folder}/`)
    return names.flatMap((name) => parseCollected(name, collection) ?? []).sort((a, b) => b.id - a.id)
  }

  /** The file, or what remains of it: its rows stay if only the file was removed. */
  async find(space: Space, collection: Collection, id: number): Promise<CollectedFile | undefined> {
    const [name] = await this.#fileNames(space, `${collection.folder}/${id}/`)
    if (name !== undefined) return { id, name }
    const table = await this.#services.tables.find(space, collection.table)
    return table?.imports
      .flatMap(({ file }) => parseCollected(file, collection) ?? [])
      .find((collected) => collected.id === id)
  }

  /** The running import of a file. */
  async runningImport(account: Account, { name }: CollectedFile): Promise<JobRecord | undefined> {
    return (await this.#services.jobs.holding('import', accountName(account))).find((job) => job.file === name)
  }

  /** Stops the running import of a file; if that comes too late, its rows are published. */
  async stopImport(account: Account, file: CollectedFile): Promise<void> {
    const running = await this.runningImport(account, file)
    if (running) await this.#services.jobs.stop(running.id, accountName(account)).catch(ignoreTooLate)
  }

  /** Removes a file and all its rows. Removing a missing one is not an error. */
  async remove(space: Space, collection: Collection, { name }: CollectedFile): Promise<void> {
    const { files, tables } = this.#services
    const table = await tables.find(space, collection.table)
    for (const { id, file } of table?.imports ?? []) {
      if (file === name) await tables.removeImport(space, collection.table, id)
    }
    await files.remove(space, name)
  }

  async #fileNames(space: Space, prefix: string): Promise<string[]> {
    const names: string[] = []
    for (;;) {
      const page = await this.#services.files.list(space, { prefix, after: names.at(-1) ?? '', limit: pageSize })
      names.push(...page.map(({ name }) => name))
      if (page.length < pageSize) return names
    }
  }
}

/** The file of a name; undefined if it is not part of the collection. */
export function parseCollected(name: string, { folder }: Collection): CollectedFile | undefined {
  if (!name.startsWith(`${folder}/`)) return undefined
  const [, id] = /^([1-9]\d{0,14})\/./.exec(name.slice(folder.length + 1)) ?? []
  return id === undefined ? undefined : { id: Number(id), name }
}

function ignoreTooLate(error: unknown): void {
  if (!(error instanceof Problem) || !['already-published', 'not-running'].includes(error.code)) throw error
}

const pageSize = 1000
