import type { ColumnType } from '../../protocol/tables.js'

/** How a column of a Parquet file becomes one of a table. */
export interface ParquetType {
  readonly type: ColumnType
  /** The SQL of the value, given that of the column. */
  readonly read: (column: string) => string
  /** Its times may be finer than those of tables. */
  readonly isNanoseconds?: boolean
  /** What became of the values, where the type is another one. */
  readonly note?: string
}

/** By the engine's name of the type; undefined for binary data. */
export function findParquetType(engineType: string): ParquetType | undefined {
  const plain = engineType.toUpperCase()
  if (/[[(].*\b(?:BLOB|BIT)\b/.test(plain)) return undefined
  if (/^(?:STRUCT|MAP|UNION)\(|\[\d*\]$/.test(plain)) return nested
  if (plain.startsWith('DECIMAL(')) return { type: plain.toLowerCase() as ColumnType, read: unchanged }
  if (plain.startsWith('ENUM(')) return text
  return types[plain]
}

const unchanged = (column: string) => column
const as = (engineType: string) => (column: string) => `CAST(${column} AS ${engineType})`
const text: ParquetType = { type: 'text', read: as('VARCHAR') }
const asWords = { ...text, note: 'its values were written as text.' }
const nested: ParquetType = {
  type: 'text',
  read: (column) => `CAST(to_json(${column}) AS VARCHAR)`,
  note: 'its nested values were written as JSON.',
}
const integer: ParquetType = { type: 'integer', read: as('BIGINT') }
const timestamp: ParquetType = { type: 'timestamp', read: as('TIMESTAMP') }

const types: Record<string, ParquetType> = {
  BOOLEAN: { type: 'boolean', read: unchanged },
  TINYINT: integer,
  SMALLINT: integer,
  INTEGER: integer,
  BIGINT: integer,
  UTINYINT: integer,
  USMALLINT: integer,
  UINTEGER: integer,
  UBIGINT: {
    type: 'decimal(20,0)',
    read: as('DECIMAL(20,0)'),
    note: 'its unsigned integers of 64 bits became decimal(20,0).',
  },
  HUGEINT: { type: 'decimal(38,0)', read: as('DECIMAL(38,0)') },
  FLOAT: { type: 'double', read: as('DOUBLE') },
  DOUBLE: { type: 'double', read: unchanged },
  DATE: { type: 'date', read: unchanged },
  TIMESTAMP: timestamp,
  TIMESTAMP_S: timestamp,
  TIMESTAMP_MS: timestamp,
  TIMESTAMP_NS: { ...timestamp, isNanoseconds: true },
  'TIMESTAMP WITH TIME ZONE': { ...timestamp, note: 'its times are in UTC.' },
  VARCHAR: { type: 'text', read: unchanged },
  JSON: text,
  TIME: asWords,
  'TIME WITH TIME ZONE': asWords,
  UUID: text,
  INTERVAL: asWords,
}
