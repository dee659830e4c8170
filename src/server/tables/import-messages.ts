import type { ProblemCode, ProblemDetails } from '../../protocol/problems.js'
import type { BadLine, ColumnType } from '../../protocol/tables.js'
import type { CsvWishes } from './csv-plan.js'

/** What an import's process is asked. File names are relative to its folder. */
export interface ImportTask {
  source: string
  output: string
  /** Where it may write the good lines, if the engine cannot read the file as it stands. */
  copy: string
  wishes: CsvWishes
  skipBadLines: boolean
  trim: boolean
  memoryBytes: number
  threads: number
}

export type ImportReport =
  /** How much is done, of 1. */
  | { type: 'progress'; part: number }
  | { type: 'done'; result: ImportedCsv }
  | { type: 'failed'; code: ProblemCode; message: string; details: ProblemDetails; trace: string | null }

export interface ImportedColumn {
  name: string
  type: ColumnType
  nulls: number
  /** How its dates stood in the file, as for `strftime`; null where it has none. */
  datePattern: string | null
}

export interface ImportedCsv {
  rows: number
  columns: ImportedColumn[]
  dateColumn: string | null
  skipped: { count: number; first: BadLine[] }
  /** What was guessed and may be wrong. */
  notes: string[]
  /** The size of the output. */
  bytes: number
}
