import type { ProblemCode, ProblemDetails } from '../../protocol/problems.js'
import type { QueryTask } from './query-messages.js'
import type { Values } from './rows-messages.js'

export type ResultFormat = 'csv' | 'ndjson' | 'parquet'

/** The task of a process that sends all rows of a result. */
export interface ResultTask extends Omit<QueryTask, 'maxRows' | 'maxBytes'> {
  /** Whether the SQL is a user's; else it is the program's own, on the paths of the tables. */
  isOfUser: boolean
  values: Values
  /** The most rows to send; null for all. */
  maxRows: number | null
  format: ResultFormat
  /** Where to write Parquet. */
  output: string
}

export type ResultMessage =
  | { type: 'run'; task: ResultTask }
  /** The last bytes were sent: the next ones are wanted. */
  | { type: 'next' }

export type ResultReport =
  /** Bytes of text. The next ones follow when they are asked for. `engineMs`: how long the engine has computed them. */
  | { type: 'bytes'; bytes: Uint8Array; engineMs: number }
  /** All was reported, or, as Parquet, is in the output. */
  | { type: 'done'; rows: number }
  | { type: 'failed'; code: ProblemCode; message: string; details: ProblemDetails; trace: string | null }
