import { Problem } from '../../protocol/problems.js'
import type { StoredImport } from '../stores/tables.js'
import { engineType } from './column-types.js'
import { parseMoment } from './moment.js'
import { columnExpression, type UnionColumn } from './union.js'

/** A condition on rows. Its values are parameters of the statement: `$w0`, `$w1`, … */
export interface RowCondition {
  /** The condition in an import; null if none of its rows can match. */
  in(part: StoredImport): string | null
  readonly values: Readonly<Record<string, string>>
}

/**
 * Parses conditions such as `Region = Europe`, all of which must hold: `=`, `!=`, `<`, `<=`, `>`, `>=`, and `~` for text that
 * contains other text, ignoring case. An empty value is a missing one. Throws `invalid-request`.
 */
export function parseConditions(columns: readonly UnionColumn[], texts: readonly string[]): RowCondition {
  const parsed = texts.map((text, at) => parseCondition(columns, text, `$w${at}`))
  return {
    in: (part) => parsed.map((each) => each.in(part)).join(' AND '),
    values: Object.fromEntries(parsed.flatMap(({ value }, at) => (value === null ? [] : [[`w${at}`, value]]))),
  }
}

function parseCondition(columns: readonly UnionColumn[], text: string, parameter: string) {
  const { column, operator, value } = split(columns, text)
  const own = (part: StoredImport) => columnExpression(part, column)
  if (value === '') return { value: null, in: (part: StoredImport) => missing(own(part), column, operator, text) }
  if (operator === '~') {
    const contains = (part: StoredImport) => `contains(lower(CAST(${own(part)} AS VARCHAR)), lower(${parameter}))`
    return { value, in: contains }
  }
  const { type, bound } = typed(column, value, text)
  const engineOperator = operator === '!=' ? 'IS DISTINCT FROM' : operator
  return { value: bound, in: (part: StoredImport) => `${own(part)} ${engineOperator} CAST(${parameter} AS ${type})` }
}

/** The longest name of a column that the text begins with, so that names may have signs in them. */
function split(columns: readonly UnionColumn[], text: string) {
  const trimmed = text.trim()
  const named = columns
    .filter(({ name }) => trimmed.toLowerCase().startsWith(name.toLowerCase()))
    .toSorted((a, b) => b.name.length - a.name.length)
  for (const column of named) {
    const [, operator, value] = /^\s*(!=|<=|>=|=|<|>|~)\s*(.*)$/s.exec(trimmed.slice(column.name.length)) ?? []
    if (operator !== undefined) return { column, operator, value: value! }
  }
  throw invalid(`"${text}" is no condition on a column of the table; write it like Region=Europe`)
}

function missing(own: string, { type }: UnionColumn, operator: string, text: string): string {
  const isMissing = type === 'text' ? `coalesce(${own}, '') = ''` : `${own} IS NULL`
  if (operator === '=') return isMissing
  if (operator === '!=') return `NOT (${isMissing})`
  throw invalid(`"${text}" compares with nothing; only = and != can`)
}

/** What the value is compared as, and the text that the engine converts to it without an error. */
function typed({ name, type }: UnionColumn, value: string, text: string): { type: string; bound: string } {
  switch (type) {
    case 'text':
      return { type: 'VARCHAR', bound: value }
    case 'boolean':
      if (!/^(true|false)$/i.test(value)) throw invalid(`"${text}": the column "${name}" holds true and false`)
      return { type: 'BOOLEAN', bound: value }
    case 'date':
    case 'timestamp':
      return { type: 'TIMESTAMP', bound: parseMoment(value, 'where') }
    default:
      return { type: numberType(type, name, value, text), bound: value }
  }
}

function numberType(type: UnionColumn['type'], name: string, value: string, text: string): string {
  const [, whole, fraction = ''] = /^[+-]?(\d+)(?:\.(\d+))?(?:e[+-]?\d{1,3})?$/i.exec(value) ?? []
  if (whole === undefined || !Number.isFinite(Number(value))) {
    throw invalid(`"${text}": the column "${name}" holds numbers`)
  }
  if (/e/i.test(value) || type === 'double') return 'DOUBLE'
  if (type === 'integer') return fraction === '' && whole.length <= 37 ? 'HUGEINT' : 'DOUBLE'
  const [width = 0, scale = 0] = (type.match(/\d+/g) ?? []).map(Number)
  return whole.length <= width - scale && fraction.length <= scale ? engineType(type) : 'DOUBLE'
}

function invalid(reason: string): Problem {
  return new Problem('invalid-request', `where: ${reason}.`, { field: 'where' })
}
