import type { ProblemCode, ProblemDetails } from '../../protocol/problems.js'
import type { QueryAnswer } from '../../protocol/tables.js'

/** The task of a query's process. */
export interface QueryTask {
  sql: string
  /** The account's tables: the name in the query, and the files to read for it. */
  tables: { name: string; select: string; paths: string[] }[]
  maxRows: number
  maxBytes: number
  memoryBytes: number
  threads: number
}

export type QueryReport =
  | { type: 'done'; answer: QueryAnswer }
  | { type: 'failed'; code: ProblemCode; message: string; details: ProblemDetails; trace: string | null }
