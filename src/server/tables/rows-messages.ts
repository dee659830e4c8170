import type { JsonValue } from './json-values.js'

/** What the process for rows is asked: statements that this program has written, and nothing that a user has. */
export type RowsTask =
  | { type: 'open'; folder: string; memoryBytes: number; threads: number }
  /**
   * `rows` answers with the rows of all statements, as many as `maxRowsBytes` allow; `bytes` with the
   * one BLOB of the one statement.
   */
  | { type: 'run'; id: number; statements: string[]; as: 'rows' | 'bytes' }
  | { type: 'cancel'; id: number }

export type RowsReport =
  | { type: 'rows'; id: number; rows: JsonValue[][] }
  | { type: 'bytes'; id: number; bytes: Uint8Array }
  | { type: 'failed'; id: number; message: string; missing: boolean }

/** An answer holds no more than this as JSON, but for one row. */
export const maxRowsBytes = 8 * 1024 ** 2
