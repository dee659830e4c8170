import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Jobs } from '../jobs/jobs.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { Counters } from '../stores/counters.js'
import type { FileStore, Space } from '../stores/files.js'
import type { TableStore } from '../stores/tables.js'
import type { CsvWishes } from './csv-plan.js'
import type { Imports } from './imports.js'

/** Files that are numbered when they are uploaded, and imported into one table. */
export interface Collection {
  /** Where they are stored: `FOLDER/ID/NAME`, so that the same name twice is two files. */
  readonly folder: string
  readonly table: string
  readonly wishes: CsvWishes
  /** Drop spaces around text. */
  readonly trim: boolean
}

export interface CollectedFile {
  /** Counts up over all accounts. */
  readonly id: number
  /** As the account's space has it. */
  readonly name: string
}

export interface CollectionServices {
  files: FileStore
  tables: TableStore
  imports: Imports
  jobs: Jobs
  counters: Counters
}

/** Keeps the files of collections, and what was imported of them. What there is, the account's files and tables tell. */
export class Collections {
  readonly #services: CollectionServices

  constructor(services: CollectionServices) {
    this.#services = services
  }

  /** The folder of a new file, with a slash at its end. */
  async newFolder({ folder }: Collection): Promise<string> {
    return `${folder}/${await this.#services.counters.next(folder)}/`
  }

  /** Whether an upload or an import of the account runs. */
  isBusy(account: Account): boolean {
    const name = accountName(account)
    return (['upload', 'import'] as const).some((kind) => this.#services.jobs.holding(kind, name).length > 0)
  }

  /** Begins the import of a file that was uploaded. When that is refused, the file is removed again. */
  async startImport(identity: Identity, { table, wishes, trim }: Collection, filename: string): Promise<Job> {
    const { imports, files } = this.#services
    try {
      const { job } = await imports.start({
        identity,
        filename,
        table,
        wishes,
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

  /** The file, or what is left of it: its rows outlive a file that was removed by itself. */
  async find(space: Space, collection: Collection, id: number): Promise<CollectedFile | undefined> {
    const [name] = await this.#fileNames(space, `${collection.folder}/${id}/`)
    if (name !== undefined) return { id, name }
    const table = await this.#services.tables.find(space, collection.table)
    return table?.imports
      .flatMap(({ file }) => parseCollected(file, collection) ?? [])
      .find((collected) => collected.id === id)
  }

  /** The import of a file that runs. */
  runningImport(account: Account, { name }: CollectedFile): Job | undefined {
    return this.#services.jobs.holding('import', accountName(account)).find((job) => job.file === name)
  }

  /** Removes a file and every row of it. Removing what is missing is not an error. */
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

/** The file that a name stands for; undefined where it is none of the collection. */
export function parseCollected(name: string, { folder }: Collection): CollectedFile | undefined {
  if (!name.startsWith(`${folder}/`)) return undefined
  const [, id] = /^([1-9]\d{0,14})\/./.exec(name.slice(folder.length + 1)) ?? []
  return id === undefined ? undefined : { id: Number(id), name }
}

const pageSize = 1000
