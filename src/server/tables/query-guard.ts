import { Problem } from '../../protocol/problems.js'
import { foldName } from './fold-name.js'
import { allowedFunctions, allowedTableFunctions } from './query-functions.js'
import { grammar, inertKeys, kindKey, type NodePart, type Part } from './query-grammar.js'

type Tree = { [key: string]: unknown }
type Names = ReadonlySet<string>

/**
 * Determines the tables that a query reads, from the engine's parse tree. Throws `malformed-query` unless it is one
 * SELECT over the account's tables that calls only allowed functions, and every part of the tree matches the grammar.
 */
export function checkQuery(serialized: string, tables: Names): Set<string> {
  const { error, error_message: message, statements } = parseTree(serialized)
  if (error) throw refused(wordParseError(String(message)))
  if (!Array.isArray(statements) || statements.length !== 1) {
    throw refused('Send exactly one statement, without anything after it')
  }
  const used = new Set<string>()
  visit(statements[0], 'statement', { tables, ctes: new Set(), used })
  return used
}

/** The engine gives its reasons in several lines, of which the last marks a place in the query. */
export function refused(reason: string, cause?: unknown): Problem {
  const lines = reason
    .replace(/\t/g, '  ')
    .replace(/\n{2,}/g, '\n')
    .trimEnd()
  return new Problem('malformed-query', lines.includes('\n') ? lines : `${lines}.`, { reason: lines }, { cause })
}

interface Scope {
  tables: Names
  /** The common table expressions in scope. */
  ctes: Names
  used: Set<string>
}

function parseTree(serialized: string): Tree {
  try {
    return JSON.parse(serialized) as Tree
  } catch (cause) {
    // The engine writes a number like 1e400 as Infinity, which is not valid JSON.
    throw refused('The query holds a number that is too large', cause)
  }
}

function visit(value: unknown, part: Part, scope: Scope): void {
  if (Array.isArray(value)) for (const each of value) visit(each, part, scope)
  else if (part === 'plain') checkPlain(value)
  else if (part === 'inert') checkInert(value)
  else if (typeof value === 'object' && value !== null) visitNode(value as Tree, part, scope)
  else throw unknown(part)
}

function visitNode(tree: Tree, part: NodePart, outer: Scope): void {
  const kinds = kindKey[part]
  const kind = kinds ? String(tree[kinds]) : ''
  const keys = Object.hasOwn(grammar[part], kind) ? grammar[part][kind] : undefined
  if (!keys) throw unknown(kinds ? kind : part)
  if (tree.at_clause !== undefined) throw refused('AT is not allowed in a query')
  const scope = part === 'query' && tree.cte_map !== undefined ? withCommonTables(tree.cte_map, outer) : outer
  checkNames(tree, part, kind, scope)
  for (const [key, value] of Object.entries(tree)) {
    if (!Object.hasOwn(keys, key)) throw unknown(key)
    if (key === 'cte_map') continue
    visit(value, keys[key]!, kind === 'RECURSIVE_CTE_NODE' && key === 'right' ? withItself(tree, scope) : scope)
  }
}

function checkNames(tree: Tree, part: NodePart, kind: string, scope: Scope): void {
  if (part === 'table function') checkFunction(tree, allowedTableFunctions)
  else if (part === 'expression' && (kind === 'FUNCTION' || kind === 'WINDOW')) checkFunction(tree, allowedFunctions)
  else if (part === 'table' && kind === 'BASE_TABLE') checkTable(tree, scope)
  else if (part === 'table' && kind === 'SHOW_REF') checkShow(tree)
}

/** Each one sees the previous ones, but not itself: `WITH t AS (SELECT * FROM t)` reads an outer `t`. */
function withCommonTables(map: unknown, outer: Scope): Scope {
  const ctes = new Set(outer.ctes)
  const scope = { ...outer, ctes }
  const { map: entries, ...rest } = map as Tree
  if (!Array.isArray(entries) || Object.keys(rest).length > 0) throw unknown('common tables')
  for (const entry of entries) {
    visit(entry, 'common table entry', { ...scope, ctes: new Set(ctes) })
    ctes.add(foldName(String((entry as Tree).key)))
  }
  return scope
}

/** The first part of a recursion is its start, so only the second sees it. */
function withItself({ cte_name: name }: Tree, scope: Scope): Scope {
  return { ...scope, ctes: new Set([...scope.ctes, foldName(String(name))]) }
}

function checkTable(tree: Tree, { tables, ctes, used }: Scope): void {
  const name = String(tree.table_name)
  const key = foldName(name)
  if (tree.schema_name || tree.catalog_name) throw noTable(`${tree.schema_name ?? tree.catalog_name}.${name}`)
  if (ctes.has(key)) return
  if (!tables.has(key)) throw noTable(name)
  used.add(key)
}

function noTable(name: string): Problem {
  return refused(`There is no table "${name}"; "filejobs tables" (GET /tables) lists those that there are`)
}

/** `DESCRIBE sales` and `SUMMARIZE sales` are queries; `SHOW TABLES` reads the catalogue. */
function checkShow(tree: Tree): void {
  const known = tree.show_type === 'DESCRIBE' || tree.show_type === 'SUMMARY'
  if (!known || !tree.query || tree.table_name)
    throw refused('SHOW is not allowed in a query; "filejobs tables" (GET /tables) lists the tables')
}

function checkFunction(tree: Tree, allowed: Names): void {
  const name = String(tree.function_name)
  // The parser itself puts some functions, such as list_value, into "main".
  const plain = !tree.catalog && (!tree.schema || tree.schema === 'main')
  if (!plain || !allowed.has(foldName(name))) throw refused(`The function "${name}" is not allowed in a query`)
}

function checkPlain(value: unknown): void {
  if (typeof value === 'object' && value !== null) throw unknown(Object.keys(value)[0] ?? 'object')
}

function checkInert(value: unknown): void {
  if (Array.isArray(value)) for (const each of value) checkInert(each)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  for (const [key, held] of Object.entries(value)) {
    if (!inertKeys.has(key)) throw unknown(key)
    checkInert(held)
  }
}

function unknown(what: string): Problem {
  return refused(`This is not allowed in a query: ${what}`)
}

function wordParseError(message: string): string {
  if (message.startsWith('Only SELECT statements') || message.startsWith('A CTE needs a SELECT')) {
    return 'Only SELECT is allowed: a query reads, and changes nothing'
  }
  return message.replace(/\.$/, '')
}
