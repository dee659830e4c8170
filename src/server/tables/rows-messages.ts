import type { JsonValue } from './json-values.js'

/** Values of named parameters. A statement may leave some out. */
export type Values = Readonly<Record<string, string>>

/** The tasks of the process for rows: statements of this program, never of a user. */
export type RowsTask =
  | { type: 'open'; folder: string; memoryBytes: number; threads: number }
  /**
   * `rows` returns the rows of all statements up to `maxRowsBytes`; `bytes` returns the one BLOB of the one statement.
   */
  | { type: 'run'; id: number; statements: string[]; values: Values; as: 'rows' | 'bytes' }
  | { type: 'cancel'; id: number }

export type RowsReport =
  | { type: 'rows'; id: number; rows: JsonValue[][] }
  | { type: 'bytes'; id: number; bytes: Uint8Array }
  | { type: 'failed'; id: number; message: string; missing: boolean }

/** The maximum size of a result as JSON, except for a single larger row. */
export const maxRowsBytes = 8 * 1024 ** 2
