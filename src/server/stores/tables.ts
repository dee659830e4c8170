import type { BadLine, ColumnType } from '../../protocol/tables.js'
import type { Space } from './files.js'

export interface StoredColumn {
  readonly name: string
  readonly type: ColumnType
  /** Rows that have no value in it. */
  readonly nulls: number
  /** How its dates stood in the file, as for `strftime`; null where it has none. */
  readonly datePattern: string | null
}

/** What one import brought: a Parquet file whose columns are `c0`, `c1`, … and whose rows are in the file's order. */
export interface StoredImport {
  /** Counts up over all accounts; the newest has the highest. */
  readonly id: number
  readonly file: string
  /** Of the file it was made from, where that was known. */
  readonly sha256: string | null
  readonly rows: number
  readonly columns: StoredColumn[]
  readonly dateColumn: string | null
  readonly skipped: { count: number; first: BadLine[] }
  /** What was guessed and may be wrong, in words. */
  readonly notes: string[]
  readonly importedAt: string
  /** Of its Parquet file, and of the file it was made from. */
  readonly bytes: number
  readonly sourceBytes: number
  /** Of its Parquet file, relative to the store's folder; holds nothing that a pattern or a quote could be. */
  readonly path: string
}

export interface StoredTable {
  readonly name: string
  /** Newest first; never empty. */
  readonly imports: StoredImport[]
}

/** The tables of all accounts. A table is the set of its imports. */
export interface TableStore {
  /** What paths are relative to. */
  readonly folder: string
  /** Sorted by name. */
  list(space: Space): Promise<StoredTable[]>
  find(space: Space, table: string): Promise<StoredTable | undefined>
  /** Where an import puts its file before it is published. */
  stage(id: string): StagedImport
  /** Makes a staged import part of the table in one step, durably. The staged file must have been synced. */
  publish(
    staged: StagedImport,
    space: Space,
    table: string,
    record: Omit<StoredImport, 'id' | 'path' | 'importedAt'>,
  ): Promise<StoredImport>
  /** The last one's removal is the table's. False when it is missing. */
  removeImport(space: Space, table: string, id: number): Promise<boolean>
  /** False when it is missing. */
  remove(space: Space, table: string): Promise<boolean>
  /** Bytes of all Parquet files of the account. */
  usage(space: Space): Promise<number>
  /** Removes every table of the account. Removing what is missing is not an error. */
  removeSpace(space: Space): Promise<void>
  /** What a crash left: staged files, and published ones that never became part of a table. For the start only. */
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
  readonly copy: string
  readonly output: string
  /** Removes what is there. Removing twice, or after the publish, is not an error. */
  remove(): Promise<void>
}
