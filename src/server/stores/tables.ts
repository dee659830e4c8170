import type { BadLine, ColumnType } from '../../protocol/tables.js'
import type { Space } from './files.js'

export interface StoredColumn {
  readonly name: string
  readonly type: ColumnType
  /** Rows without a value in it. */
  readonly nulls: number
  /** The date format of its values in the file, as for `strftime`; null without dates. */
  readonly datePattern: string | null
}

/** The result of one import: a Parquet file with the columns `c0`, `c1`, … and the rows in the file's order. */
export interface StoredImport {
  /** Increases over all accounts; the newest has the highest. */
  readonly id: number
  readonly file: string
  /** Of its source file, if known. */
  readonly sha256: string | null
  readonly rows: number
  readonly columns: StoredColumn[]
  readonly dateColumn: string | null
  readonly skipped: { count: number; first: BadLine[] }
  /** Notes about uncertain guesses. */
  readonly notes: string[]
  readonly importedAt: string
  /** Of its Parquet file, and of its source file. */
  readonly bytes: number
  readonly sourceBytes: number
  /** SHA-256 of its Parquet file; null for imports of earlier versions. */
  readonly outputSha256: string | null
  /** The path of its Parquet file, relative to the store's folder; contains no characters of patterns or quotes. */
  readonly path: string
}

/** What an import is published with. */
export type ImportRecord = Omit<StoredImport, 'id' | 'path' | 'importedAt'>

export interface NewImport {
  /** Its output must have been synced. */
  readonly staged: StagedImport
  readonly record: ImportRecord
}

/** What may change of a published import. */
export type ImportEdit = Pick<StoredImport, 'id' | 'columns' | 'dateColumn'>

export interface StoredTable {
  readonly name: string
  /** The account that owns it, `role:username`. */
  readonly owner: string
  /** Newest first; never empty. */
  readonly imports: StoredImport[]
  /** When an import was last added or removed, in milliseconds since 1970. */
  readonly changedAt: number
}

/** The tables of all accounts. A table is the set of its imports. */
export interface TableStore {
  /** A folder of this machine, which paths are relative to. */
  readonly folder: string
  /** Sorted by name. */
  list(space: Space): Promise<StoredTable[]>
  find(space: Space, table: string): Promise<StoredTable | undefined>
  /**
   * Provides the Parquet files of these imports in `folder`, until the returned function is called, once or again. It
   * may take as long as a download. Throws the signal's reason.
   */
  ready(imports: StoredImport[], signal: AbortSignal): Promise<() => void>
  /** A scratch folder of this machine for the file of an import before it is published. */
  stage(id: string): StagedImport
  /**
   * Makes staged imports part of the table in one step, durably, and with increasing ids. With `replaces` they are the whole table
   * from then on: a reader, or a start after a crash, finds the table as before or all of them. Files that were `ready` before
   * stay until their release.
   */
  publish(
    imports: readonly NewImport[],
    space: Space,
    table: string,
    options?: { replaces?: boolean },
  ): Promise<StoredImport[]>
  /**
   * Changes imports in one step, durably. False if the table is missing. `edit` is called while nothing can change the table,
   * and may throw.
   */
  edit(space: Space, table: string, edit: (table: StoredTable) => readonly ImportEdit[]): Promise<boolean>
  /**
   * Gives a table another name, in one step. False if it is missing. Throws `name-taken` if there is a table of that name. `check` is
   * called before, while nothing can change the table, and may throw.
   */
  rename(space: Space, table: string, to: string, check?: (table: StoredTable) => void): Promise<boolean>
  /** Removing the last one removes the table. False if it is missing. */
  removeImport(space: Space, table: string, id: number): Promise<boolean>
  /** False if it is missing. `check` is called before, while nothing can change the table, and may throw. */
  remove(space: Space, table: string, check?: (table: StoredTable) => void): Promise<boolean>
  /** Bytes of all Parquet files of the account. */
  usage(space: Space): Promise<number>
  /** Removes every table of the account. Repeating it is not an error. */
  removeSpace(space: Space): Promise<void>
  /**
   * The remains of a crash on this machine: staged files, and published ones that never became part of a table. For the
   * start only.
   */
  findLeftovers(): Promise<TableLeftover[]>
  /** Removing it twice is not an error. */
  removeLeftover(leftover: TableLeftover): Promise<void>
}

export interface TableLeftover {
  readonly path: string
  readonly bytes: number
}

/** Names in `folder`, on the same file system as the tables. */
export interface StagedImport {
  readonly folder: string
  readonly source: string
  readonly text: string
  readonly copy: string
  readonly output: string
  /**
   * Prepares the written output for its publish, so that this takes no time: it may take as long as an upload. The output is not
   * changed from then on. Throws the signal's reason.
   */
  prepare(signal: AbortSignal): Promise<void>
  /** Removes the existing files. Removing twice, or after the publish, is not an error. */
  remove(): Promise<void>
}
