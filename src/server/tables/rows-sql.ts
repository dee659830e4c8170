import type { ColumnType } from '../../protocol/tables.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import { quoteText } from './sql-text.js'
import { columnExpression, findColumn, type UnionColumn } from './union.js'

/** Lines `from` to `to` of an import, counted from 0; `to` is exclusive. */
export interface Lines {
  readonly part: StoredImport
  readonly from: number
  readonly to: number
}

/** The format of rows. */
export interface RowStyle {
  /** Dates in ISO 8601, or as written in the file. */
  readonly dates: 'iso' | 'original'
  /** Adds a value at the end of each row: that of its import's date column in RFC 3339, null without one. */
  readonly moment: boolean
}

export const lineNumber = 'file_row_number'

export function sourceOf({ path }: StoredImport): string {
  return `read_parquet(${quoteText(path)}, ${lineNumber} = true)`
}

/** `file`: oldest import first, and first line first; `newest`: the other way round. */
export type RowOrder = 'file' | 'newest'

/** The imports of a table in an order of its rows. */
export function inOrder({ imports }: Pick<StoredTable, 'imports'>, order: RowOrder): readonly StoredImport[] {
  return order === 'newest' ? imports : imports.toReversed()
}

/**
 * Selects a page of imports. Its lines follow from the sizes of the imports, so the
 * engine reads only those: a page at offset 1 million takes 10 ms; with LIMIT and OFFSET it takes 650.
 */
export function cutPage(
  table: Pick<StoredTable, 'imports'>,
  { offset, limit, order }: { offset: number; limit: number; order: RowOrder },
): Lines[] {
  const lines: Lines[] = []
  let skip = offset
  let want = limit
  for (const part of inOrder(table, order)) {
    if (want === 0) break
    if (skip >= part.rows) {
      skip -= part.rows
      continue
    }
    const count = Math.min(want, part.rows - skip)
    const from = order === 'file' ? skip : part.rows - skip - count
    lines.push({ part, from, to: from + count })
    want -= count
    skip = 0
  }
  return lines
}

export function rowsOfLines(
  { part, from, to }: Lines,
  columns: UnionColumn[],
  style: RowStyle,
  order: RowOrder,
): string {
  return `SELECT ${selectList(part, columns, style)} FROM ${sourceOf(part)}
    WHERE ${lineNumber} >= ${from} AND ${lineNumber} < ${to} ORDER BY ${lineNumber} ${directions[order]}`
}

const directions: Record<RowOrder, string> = { file: 'ASC', newest: 'DESC' }

/**
 * The matching rows from `offset` on: their numbers are determined first, in the one relevant column.
 */
export function matchingRows(
  part: StoredImport,
  condition: string,
  { offset, limit, order }: { offset: number; limit: number; order: RowOrder },
  columns: UnionColumn[],
  style: RowStyle,
): string {
  return `WITH found AS MATERIALIZED (
      SELECT ${lineNumber} AS line FROM ${sourceOf(part)} WHERE ${condition}
      ORDER BY line ${directions[order]} LIMIT ${limit} OFFSET ${offset})
    SELECT ${selectList(part, columns, style)} FROM ${sourceOf(part)}
    WHERE ${lineNumber} IN (SELECT line FROM found) ORDER BY ${lineNumber} ${directions[order]}`
}

/** The number of matching rows of each import; one row `[import, rows]` for each with a condition. */
export function countMatching(parts: { part: StoredImport; condition: string }[]): string {
  return parts
    .map(({ part, condition }) => `SELECT ${part.id}, count(*) FROM ${sourceOf(part)} WHERE ${condition}`)
    .join(' UNION ALL ')
}

/** The values of a row; `nameOf` gives each a name. */
export function selectList(
  part: StoredImport,
  columns: UnionColumn[],
  { dates, moment }: RowStyle,
  nameOf: (value: string, at: number) => string = () => '',
): string {
  const values = columns.map((column) => valueExpression(part, column, dates))
  const all = moment ? [...values, momentExpression(part)] : values
  return all.map((value, at) => value + nameOf(value, at)).join(', ')
}

function momentExpression(part: StoredImport): string {
  const own = part.dateColumn === null ? undefined : findColumn(part, part.dateColumn)
  return own ? `strftime(${own.field}, '%Y-%m-%dT%H:%M:%SZ')` : 'CAST(NULL AS VARCHAR)'
}

function valueExpression(part: StoredImport, column: UnionColumn, dates: RowStyle['dates']): string {
  const own = findColumn(part, column.name)
  if (dates === 'original' && own?.datePattern) return `strftime(${own.field}, ${quoteText(own.datePattern)})`
  return columnExpression(part, column)
}

/** Rows as bytes: one BLOB of all matching lines, first line first. */
export function textOfLines({ part, from, to }: Lines, condition: string | null, line: string): string {
  const matches = condition === null ? '' : ` AND ${condition}`
  return `SELECT encode(string_agg(${line}, '' ORDER BY ${lineNumber})) FROM ${sourceOf(part)}
    WHERE ${lineNumber} >= ${from} AND ${lineNumber} < ${to}${matches}`
}

/** An expression for one line of CSV (RFC 4180), ended by LF. */
export function csvLine(part: StoredImport, columns: UnionColumn[]): string {
  const fields = columns.map((column) => {
    const value = columnExpression(part, column)
    return column.type === 'text' ? csvText(value) : `coalesce(${plainText(value, column.type)}, '')`
  })
  return `concat(${fields.join(", ',', ")}, chr(10))`
}

/** An expression for one line of JSON, ended by LF. */
export function jsonLine(part: StoredImport, columns: UnionColumn[]): string {
  const members = columns.map((column, at) => {
    const name = quoteText(`${at === 0 ? '{' : ','}${JSON.stringify(column.name)}:`)
    return `${name}, coalesce(${jsonText(columnExpression(part, column), column.type)}, 'null')`
  })
  return `concat(${members.join(', ')}, '}', chr(10))`
}

function csvText(value: string): string {
  const marks = [`','`, `'"'`, 'chr(10)', 'chr(13)'].map((mark) => `contains(${value}, ${mark})`)
  return `CASE WHEN ${marks.join(' OR ')} OR ${value} = '' THEN concat('"', replace(${value}, '"', '""'), '"') ELSE ${value} END`
}

function plainText(value: string, type: ColumnType): string {
  // strftime would write six fractional digits for every second.
  return type === 'timestamp' ? `replace(CAST(${value} AS VARCHAR), ' ', 'T')` : `CAST(${value} AS VARCHAR)`
}

function jsonText(value: string, type: ColumnType): string {
  switch (type) {
    case 'text':
      return `CAST(to_json(${value}) AS VARCHAR)`
    case 'integer':
      return `CASE WHEN ${value} BETWEEN -9007199254740991 AND 9007199254740991 THEN CAST(${value} AS VARCHAR)
        ELSE '"' || ${value} || '"' END`
    case 'double':
    case 'boolean':
      return `CAST(${value} AS VARCHAR)`
    default:
      return `'"' || ${plainText(value, type)} || '"'`
  }
}

/** The header line of a CSV. */
export function csvHeader(columns: UnionColumn[]): string {
  const names = columns.map(({ name }) => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name))
  return `${names.join(',')}\n`
}
