import type { ProblemCode, ProblemDetails } from '../../protocol/problems.js'
import type { QueryAnswer } from '../../protocol/tables.js'

/** What a query's process is asked. */
export interface QueryTask {
  sql: string
  /** The account's tables: what a query sees under each name, and the files that it reads for that. */
  tables: { name: string; select: string; paths: string[] }[]
  maxRows: number
  maxBytes: number
  memoryBytes: number
  threads: number
}

export type QueryReport =
  | { type: 'done'; answer: QueryAnswer }
  | { type: 'failed'; code: ProblemCode; message: string; details: ProblemDetails; trace: string | null }
