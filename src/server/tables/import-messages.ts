import type { ImportCheck } from '../../protocol/import-checks.js'
import type { ProblemCode, ProblemDetails } from '../../protocol/problems.js'
import type { BadLine, ColumnType } from '../../protocol/tables.js'
import type { CsvOptions } from './csv-plan.js'

/** The task of an import's process. File names are relative to its folder. */
export interface ImportTask {
  source: string
  output: string
  /** Where to write the valid lines if the engine cannot read the original file. */
  copy: string
  /** Where to write the text of a file that is compressed, not UTF-8, or no CSV. */
  text: string
  /** The most bytes that it may have. */
  maxBytes: number
  csvOptions: CsvOptions
  skipBadLines: boolean
  trim: boolean
  memoryBytes: number
  threads: number
}

/** Whether to import the file, or only to list its faults. */
export interface ImportMessage {
  type: 'import' | 'check'
  task: ImportTask
}

/** What a check finds. */
export type CheckedFile = Omit<ImportCheck, 'file'>

export type ImportReport =
  /** The progress, from 0 to 1. */
  | { type: 'progress'; part: number }
  | { type: 'done'; result: ImportedCsv }
  | { type: 'checked'; result: CheckedFile }
  | { type: 'failed'; code: ProblemCode; message: string; details: ProblemDetails; trace: string | null }

export interface ImportedColumn {
  name: string
  type: ColumnType
  nulls: number
  /** The date format of the file, as for `strftime`; null without dates. */
  datePattern: string | null
}

export interface ImportedCsv {
  rows: number
  columns: ImportedColumn[]
  dateColumn: string | null
  skipped: { count: number; first: BadLine[] }
  /** Notes about uncertain guesses. */
  notes: string[]
  /** The size of the output. */
  bytes: number
  outputSha256: string
}
