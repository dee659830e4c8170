import type { Publication } from '../../../protocol/folder-jobs.js'
import { Problem } from '../../../protocol/problems.js'
import { belowFile, isFolder } from '../local/file-paths.js'
import type { PartialFile, PublishedPartial, PublishTarget } from '../partials.js'
import type { Database, Transaction } from '../postgres/database.js'
import { recordPublication } from '../postgres/job-rows.js'
import { checkPrecondition } from '../precondition.js'
import type { NewFile, NewFileResult } from '../small-files.js'
import type { StagePlan, StoredStage } from '../stages.js'
import {
  accountOf,
  findFiles,
  findFolders,
  findRow,
  foldersOf,
  keepFolders,
  lockFiles,
  pathsOf,
  storedFileOf,
  withPrefix,
} from './file-rows.js'
import { discardPublished, type Objects } from './objects.js'
import { findRows, type NewRow, publishRows } from './publish-rows.js'
import { checkSmall, storeSmall } from './small-files.js'
import {
  discardStage,
  lockStage,
  type ReceivedContent,
  releasePartial,
  stagedFolders,
  stagedRows,
  stageFolder,
  stageRows,
} from './staged-rows.js'

export interface BucketStageServices {
  database: Database
  objects: Objects
  /** Called when it is published or discarded. */
  onEnd: () => void
}

/** The rows of files that are published in one transaction. */
export class BucketStage implements StoredStage {
  readonly #plan: StagePlan
  readonly #node: number
  readonly #services: BucketStageServices
  readonly #account: string
  readonly #sizes = new Map<string, number>()
  /** Of the names in it. */
  readonly #folders = new Set<string>()
  readonly #kept = new Set<string>()
  #hasEnded = false

  constructor(plan: StagePlan, node: number, services: BucketStageServices) {
    this.#plan = plan
    this.#node = node
    this.#services = services
    this.#account = accountOf(plan.space)
  }

  get bytes(): number {
    let bytes = 0
    for (const size of this.#sizes.values()) bytes += size
    return bytes
  }

  async add(partial: PartialFile, target: PublishTarget): Promise<PublishedPartial> {
    return partial.publish({ ...target, stage: this.#plan.jobId })
  }

  /** For a partial whose target names this stage. */
  async receive(
    { partial, content, size }: ReceivedContent,
    { name, sha256, type, precondition }: PublishTarget,
  ): Promise<PublishedPartial> {
    const row: NewRow = { name, content, size, sha256, type, precondition }
    this.#checkOwn(name)
    const current = await this.#change(async (sql) => {
      if (!this.#plan.replace) await this.#checkName(sql, name)
      const there = await findRow(sql, this.#account, name)
      checkPrecondition(there && storedFileOf(there), precondition)
      await releasePartial(sql, { partial, content, node: this.#node })
      await stageRows(sql, this.#plan.jobId, [row])
      return { there }
    })
    this.#count(row)
    return { file: stagedFileOf(row), created: current.there === undefined }
  }

  async addSmall(files: readonly NewFile[]): Promise<NewFileResult[]> {
    const { database, objects } = this.#services
    const before = await findRows(database, this.#account, files)
    const checked = files.map((file) => this.#checkSmall(file, before.get(file.name)))
    const rows = checked.flatMap((each) => ('row' in each ? each.row : []))
    await storeSmall(objects, files, rows)
    await this.#change((sql) => stageRows(sql, this.#plan.jobId, rows))
    for (const row of rows) this.#count(row)
    return checked.map((each) => {
      if (!('row' in each)) return each
      return { status: before.has(each.row.name) ? 'replaced' : 'new', file: stagedFileOf(each.row) }
    })
  }

  async addFolder(folder: string): Promise<void> {
    this.#checkOwnFolder(folder)
    await this.#change((sql) => stageFolder(sql, this.#plan.jobId, folder))
    for (const each of foldersOf(folder)) this.#folders.add(each)
  }

  keep(names: readonly string[]): void {
    for (const name of names) this.#kept.add(name)
  }

  async publish(commit: (removed: number) => Publication): Promise<{ removed: { name: string; size: number }[] }> {
    const { database } = this.#services
    const { jobId, replace } = this.#plan
    const removed: { name: string; size: number }[] = []
    let committing: NewRow[] | null = null
    try {
      await database.begin(async (sql) => {
        await lockFiles(sql, this.#account)
        await lockStage(sql, jobId, this.#node)
        const rows = await stagedRows(sql, jobId)
        if (replace) removed.push(...(await this.#removeOthers(sql)))
        for (const result of await publishRows(sql, this.#account, rows)) if ('error' in result) throw result.error
        await this.#keepFolders(sql)
        await sql`delete from stages where id = ${jobId}`
        await recordPublication(sql, jobId, commit(removed.length))
        committing = rows
      })
    } catch (error) {
      // The answer to the commit may be lost.
      if (!committing || !(await this.#isPublished(committing))) throw error
    }
    this.#end()
    return { removed }
  }

  /** Nothing of it is left: the end of its job takes the place of what the row of the job says. */
  async forget(): Promise<void> {}

  async discard(): Promise<void> {
    if (this.#hasEnded) return
    this.#end()
    await this.#services.database.begin((sql) => discardStage(sql, this.#plan.jobId))
  }

  async #isPublished(rows: readonly NewRow[]): Promise<boolean> {
    const { database } = this.#services
    if ((await database`select from stages where id = ${this.#plan.jobId}`).length > 0) return false
    const contents = rows.map(({ content }) => content)
    // Others may have removed the stage of a server that they found dead.
    return rows.length === 0 || (await database`select from files where content = any(${contents}) limit 1`).length > 0
  }

  /** Removes the files below the prefix that are neither in the stage nor to be kept. */
  async #removeOthers(sql: Transaction): Promise<{ name: string; size: number }[]> {
    const { prefix, jobId } = this.#plan
    const kept = [...this.#kept]
    const found = await findFiles(sql, this.#account, kept)
    for (const name of kept) if (!found.has(name)) throw isGone(name)
    const within = sql`account = ${this.#account} and ${withPrefix(sql, prefix)}`
    const removed = await sql<{ name: string; size: number; content: string }[]>`
      delete from files where ${within} and path not in ${pathsOf(sql, kept)}
        and not exists (select from staged_files where stage = ${jobId} and staged_files.name = files.name)
      returning name, size, content`
    await sql`delete from kept_folders where ${within}`
    await discardPublished(
      sql,
      removed.map(({ content }) => content),
    )
    return removed.map(({ name, size }) => ({ name, size }))
  }

  async #keepFolders(sql: Transaction): Promise<void> {
    const folders = await stagedFolders(sql, this.#plan.jobId)
    const files = await findFiles(sql, this.#account, [...new Set(folders.flatMap(foldersOf))])
    for (const folder of folders) if (foldersOf(folder).some((name) => files.has(name))) throw belowFile(folder)
    await keepFolders(sql, this.#account, folders)
  }

  #checkSmall(file: NewFile, current: Parameters<typeof checkSmall>[1]): ReturnType<typeof checkSmall> {
    try {
      this.#checkOwn(file.name)
      return checkSmall(file, current, false)
    } catch (error) {
      return { status: 'failed', error: error as Error }
    }
  }

  /** Two files of the stage may conflict. */
  #checkOwn(name: string): void {
    if (this.#folders.has(name)) throw isFolder(name)
    this.#checkOwnFolder(name)
  }

  #checkOwnFolder(name: string): void {
    if (foldersOf(name).some((folder) => this.#sizes.has(folder))) throw belowFile(name)
  }

  async #checkName(sql: Transaction, name: string): Promise<void> {
    if ((await findFiles(sql, this.#account, foldersOf(name))).size > 0) throw belowFile(name)
    if ((await findFolders(sql, this.#account, [name])).size > 0) throw isFolder(name)
  }

  async #change<Result>(work: (sql: Transaction) => Promise<Result>): Promise<Result> {
    const { result } = await this.#services.database.begin(async (sql) => {
      await lockStage(sql, this.#plan.jobId, this.#node)
      return { result: await work(sql) }
    })
    return result
  }

  #count({ name, size }: NewRow): void {
    this.#sizes.set(name, size)
    for (const folder of foldersOf(name)) this.#folders.add(folder)
  }

  #end(): void {
    this.#hasEnded = true
    this.#services.onEnd()
  }
}

/** As it will be published, but for the date. */
function stagedFileOf(row: NewRow) {
  return storedFileOf({ ...row, publishedAt: new Date(), isDateStrong: true })
}

function isGone(name: string): Problem {
  return new Problem('precondition-failed', `"${name}" was to stay as it is, but is gone: send it.`, { name })
}
