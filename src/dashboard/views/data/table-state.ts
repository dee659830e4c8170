import { tablePath } from '../../../protocol/routes.js'
import type { Column } from '../../../protocol/tables.js'

/** What is shown of a table, as its address says it. */
export interface TableState {
  part: 'rows' | 'summary' | 'imports'
  /** As in the request: the name of a column, after a `-` for the greatest first; empty for the order of the files. */
  sort: string
  /** Conditions such as `Region=Europe`. */
  where: readonly string[]
  /** The names of the columns, separated by commas; empty for all. */
  columns: string
  /** Dates; empty for all. */
  from: string
  to: string
  /** The column of the dates; empty for that of the table. */
  column: string
  /** Whether the values of the columns are shown beside the rows. */
  facets: boolean
  /** From 1. */
  page: number
}

export const pageRows = 100

export function readState(query: URLSearchParams): TableState {
  const text = (name: string) => query.get(name) ?? ''
  const part = text('part')
  return {
    part: part === 'summary' || part === 'imports' ? part : 'rows',
    sort: text('sort'),
    where: query.getAll('where'),
    columns: text('columns'),
    from: text('from'),
    to: text('to'),
    column: text('column'),
    facets: text('facets') === '1',
    page: Math.max(1, Math.floor(Number(text('page'))) || 1),
  }
}

/** The address of a table with this state; what is the default is left out. */
export function hrefOfTable(table: string, { part, page, facets, ...rows }: TableState): string {
  const query = filterOf(rows)
  if (part !== 'rows') query.set('part', part)
  if (facets) query.set('facets', '1')
  if (page > 1) query.set('page', String(page))
  return query.size === 0 ? tablePath(table) : `${tablePath(table)}?${query}`
}

/** The rows that are shown, as a request: a page, or all of them in a format. */
export function rowsPath(table: string, state: TableState, format?: 'csv' | 'ndjson' | 'parquet'): string {
  const query = filterOf(state)
  if (format) query.set('format', format)
  else {
    query.set('limit', String(pageRows))
    query.set('offset', String((state.page - 1) * pageRows))
  }
  return `${tablePath(table, 'rows')}?${query}`
}

/** The values of the columns that are shown, as a request. */
export function facetsPath(table: string, state: TableState): string {
  return `${tablePath(table, 'facets')}?${filterOf({ ...state, sort: '' })}`
}

/** A SELECT of the same rows. */
export function sqlOf(
  table: { name: string; columns: readonly Column[]; dateColumn: string | null },
  state: TableState,
) {
  const names = chosenColumns(table.columns, state.columns).map(quoteName)
  const list = state.columns === '' ? '*' : names.join(', ')
  const dates = quoteName(state.column || (table.dateColumn ?? ''))
  const conditions = [
    ...(state.from === '' ? [] : [`${dates} >= ${quoteText(state.from)}`]),
    ...(state.to === '' ? [] : [`${dates} < ${quoteText(state.to)}`]),
    ...state.where.map((text) => sqlOfCondition(table.columns, text)),
  ]
  const { name, isDescending } = sortOf(table.columns, state.sort)
  return [
    `select ${list}`,
    `from ${quoteName(table.name)}`,
    ...(conditions.length === 0 ? [] : [`where ${conditions.join('\n  and ')}`]),
    ...(name === '' ? [] : [`order by ${quoteName(name)}${isDescending ? ' desc' : ''}`]),
    `limit ${pageRows}`,
  ].join('\n')
}

/** The columns that a list of names has; all, if it is empty. Names may have commas in them. */
export function chosenColumns(columns: readonly Column[], text: string): string[] {
  const names = columns.map(({ name }) => name)
  if (text === '') return names
  const found: string[] = []
  for (let rest = text; rest !== ''; ) {
    const fits = names.filter((name) => rest === name || rest.startsWith(`${name},`))
    const longest = fits.toSorted((one, other) => other.length - one.length)[0]
    if (longest === undefined) break
    found.push(longest)
    rest = rest.slice(longest.length + 1)
  }
  return found
}

export function sortOf(columns: readonly Column[], sort: string): { name: string; isDescending: boolean } {
  const isWhole = columns.some(({ name }) => name === sort)
  const isDescending = !isWhole && sort.startsWith('-')
  return { name: isDescending ? sort.slice(1) : sort, isDescending }
}

/** The operators of a condition, the longer ones first where one begins with another. */
export const operators = ['!=', '<=', '>=', '=', '<', '>', '~'] as const
export type Operator = (typeof operators)[number]

/** The parts of a condition such as `Region=Europe`. */
export function conditionParts(columns: readonly Column[], text: string) {
  const fits = columns.filter(({ name }) => text.startsWith(name)).toSorted((a, b) => b.name.length - a.name.length)
  for (const column of fits) {
    const rest = text.slice(column.name.length).trimStart()
    const operator = operators.find((each) => rest.startsWith(each))
    if (operator) return { column, operator, value: rest.slice(operator.length).trim() }
  }
  return undefined
}

/** The condition that a column has a value, or none if it is empty; undefined if no condition can say it. */
export function conditionOf(columns: readonly Column[], column: string, value: string): string | undefined {
  const text = `${column}=${value}`
  const parts = conditionParts(columns, text)
  return parts?.column.name === column && parts.operator === '=' && parts.value === value ? text : undefined
}

function sqlOfCondition(columns: readonly Column[], text: string): string {
  const parts = conditionParts(columns, text)
  if (!parts) return 'true'
  const { column, operator, value } = parts
  const name = quoteName(column.name)
  if (value === '') return `${name} is ${operator === '!=' ? 'not ' : ''}null`
  if (operator === '~') return `contains(lower(${name}::varchar), lower(${quoteText(value)}))`
  const isNumber = /^(integer|double|decimal)/.test(column.type) && /^-?\d+(\.\d+)?$/.test(value)
  const literal = isNumber ? value : quoteText(value)
  return operator === '!=' ? `${name} is distinct from ${literal}` : `${name} ${operator} ${literal}`
}

function filterOf({
  sort,
  where,
  columns,
  from,
  to,
  column,
}: Omit<TableState, 'part' | 'page' | 'facets'>): URLSearchParams {
  const query = new URLSearchParams()
  const texts = { sort, columns, from, to, column: from || to ? column : '' }
  for (const [name, value] of Object.entries(texts)) if (value !== '') query.set(name, value)
  for (const condition of where) query.append('where', condition)
  return query
}

/** Quoted also where it need not be: a column may have the name of a keyword, such as `order`. */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
