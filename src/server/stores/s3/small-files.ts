import { hash, randomUUID } from 'node:crypto'
import { digestMismatch } from '../digest-mismatch.js'
import type { Space } from '../files.js'
import { FileLocks } from '../local/file-locks.js'
import type { Database } from '../postgres/database.js'
import { checkPrecondition } from '../precondition.js'
import type { NewFile, NewFileResult, SmallFiles } from '../small-files.js'
import { accountOf, type FileRow, lockFiles, storedFileOf } from './file-rows.js'
import { discardUnpublished, type Objects } from './objects.js'
import { findRows, type NewRow, publishRows } from './publish-rows.js'

/** Small files: an object each, sent side by side, and published in one transaction. */
export class BucketSmallFiles implements SmallFiles {
  readonly #database: Database
  readonly #objects: Objects
  /** Batches of this server with the same names are published in the order of the calls. */
  readonly #locks = new FileLocks()

  constructor(database: Database, objects: Objects) {
    this.#database = database
    this.#objects = objects
  }

  prepare(): void {}

  async publish(space: Space, files: readonly NewFile[]): Promise<NewFileResult[]> {
    const account = accountOf(space)
    const names = files.map(({ name }) => name)
    return this.#locks.holdAll(space, names, async () => {
      const before = await findRows(this.#database, account, files)
      const checked = files.map((file) => checkSmall(file, before.get(file.name), true))
      const rows = checked.flatMap((each) => ('row' in each ? each.row : []))
      await storeSmall(this.#objects, files, rows)
      const published = await this.#publish(account, rows)
      return checked.map((each) => ('row' in each ? published.get(each.row.name)! : each))
    })
  }

  async #publish(account: string, rows: NewRow[]): Promise<Map<string, NewFileResult>> {
    if (rows.length === 0) return new Map()
    return this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      const results = await publishRows(sql, account, rows)
      const found = new Map<string, NewFileResult>()
      const failed: string[] = []
      for (const [index, { name, content }] of rows.entries()) {
        const result = results[index]!
        if ('error' in result) {
          failed.push(content)
          found.set(name, { status: 'failed', error: result.error })
        } else found.set(name, { status: result.created ? 'new' : 'replaced', file: storedFileOf(result.row) })
      }
      await discardUnpublished(sql, failed)
      return found
    })
  }
}

/** Whether a small file can be published in place of the current one; with `mayKeep`, `unchanged` if it need not be. */
export function checkSmall(
  { name, bytes, type, sha256: declared, precondition }: NewFile,
  current: FileRow | undefined,
  mayKeep: boolean,
): NewFileResult | { row: NewRow } {
  try {
    const sha256 = hash('sha256', bytes)
    if (declared !== null && declared !== sha256) throw digestMismatch('sha256', declared, sha256)
    const file = current && storedFileOf(current)
    checkPrecondition(file, precondition)
    if (mayKeep && file?.sha256 === sha256 && file.size === bytes.length) return { status: 'unchanged', file }
    return { row: { name, content: randomUUID(), size: bytes.length, sha256, type, precondition } }
  } catch (error) {
    return { status: 'failed', error: error as Error }
  }
}

/** Stores the bytes of these rows; an empty file has no object. */
export async function storeSmall(objects: Objects, files: readonly NewFile[], rows: readonly NewRow[]): Promise<void> {
  const bytes = new Map(files.map((file) => [file.name, file.bytes]))
  const places = rows.flatMap(({ name, content, size, sha256 }) => {
    const checksum = { algorithm: 'sha256' as const, value: sha256 }
    const body = { size, checksum, open: () => bytes.get(name)! }
    return size === 0 ? [] : { content, position: 0, body }
  })
  await objects.storeAll(places)
}
