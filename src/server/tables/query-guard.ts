import { Problem } from '../../protocol/problems.js'
import { allowedFunctions, allowedTableFunctions } from './query-functions.js'

type Tree = { [key: string]: unknown }
type Names = ReadonlySet<string>

/**
 * Says which of the account's tables a query reads, from the engine's own parse tree of it. Throws `malformed-query` unless
 * it is one SELECT over them that calls allowed functions only. What this does not know is refused: it lists what may pass.
 */
export function checkQuery(serialized: string, tables: Names): Set<string> {
  const { error, error_message: message, statements } = parseTree(serialized)
  if (error) throw refused(wordParseError(String(message)))
  if (!Array.isArray(statements) || statements.length !== 1) {
    throw refused('Send exactly one statement, without anything after it')
  }
  const used = new Set<string>()
  visit(statements[0], { tables, ctes: new Set(), used })
  return used
}

export function refused(reason: string, cause?: unknown): Problem {
  return new Problem('malformed-query', `${reason}.`, { reason }, { cause })
}

interface Scope {
  tables: Names
  /** The common table expressions that can be seen here. */
  ctes: Names
  used: Set<string>
}

const expressions: Names = new Set([
  ...['BETWEEN', 'CASE', 'CAST', 'COLLATE', 'COLUMN_REF', 'COMPARISON', 'CONJUNCTION', 'CONSTANT', 'FUNCTION'],
  ...['LAMBDA', 'OPERATOR', 'POSITIONAL_REFERENCE', 'STAR', 'SUBQUERY', 'WINDOW'],
])
const nodes: Names = new Set([
  ...['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE'],
  ...['JOIN', 'SUBQUERY', 'EMPTY', 'EXPRESSION_LIST', 'PIVOT', 'BASE_TABLE', 'TABLE_FUNCTION', 'SHOW_REF'],
  ...['ORDER_MODIFIER', 'LIMIT_MODIFIER', 'LIMIT_PERCENT_MODIFIER', 'DISTINCT_MODIFIER'],
  ...['ASCENDING', 'DESCENDING', 'ORDER_DEFAULT'],
  ...['DECIMAL_TYPE_INFO', 'LIST_TYPE_INFO', 'ARRAY_TYPE_INFO', 'STRUCT_TYPE_INFO', 'UNBOUND_TYPE_INFO'],
])

function parseTree(serialized: string): Tree {
  try {
    return JSON.parse(serialized) as Tree
  } catch (cause) {
    // The engine writes a number like 1e400 as Infinity, which JSON does not have.
    throw refused('The query holds a number that is too large', cause)
  }
}

function visit(value: unknown, scope: Scope): void {
  if (Array.isArray(value)) {
    for (const each of value) visit(each, scope)
  } else if (typeof value === 'object' && value !== null) visitTree(value as Tree, scope)
}

function visitTree(tree: Tree, outer: Scope): void {
  const { class: expression, type } = tree
  if (expression !== undefined) {
    if (!expressions.has(String(expression))) throw refused(`This is not allowed in a query: ${String(expression)}`)
  } else if (typeof type === 'string' && !nodes.has(type)) throw refused(`This is not allowed in a query: ${type}`)
  if (tree.function_name !== undefined) checkFunction(tree, allowedFunctions)
  const scope = tree.cte_map === undefined ? outer : withCommonTables(tree.cte_map as Tree, outer)
  const { cte_map: _, ...rest } = tree
  if (expression !== undefined) visit(Object.values(rest), scope)
  else if (type === 'BASE_TABLE') checkTable(tree, scope)
  else if (type === 'TABLE_FUNCTION') visitTableFunction(rest, scope)
  else if (type === 'RECURSIVE_CTE_NODE') visitRecursive(rest, scope)
  else {
    if (type === 'SHOW_REF') checkShow(tree)
    visit(Object.values(rest), scope)
  }
}

/** Each one sees those before it, and not itself: `WITH t AS (SELECT * FROM t)` reads a `t` from outside. */
function withCommonTables({ map }: Tree, outer: Scope): Scope {
  const ctes = new Set(outer.ctes)
  const scope = { ...outer, ctes }
  for (const { key, value } of map as { key: string; value: unknown }[]) {
    visit(value, { ...scope, ctes: new Set(ctes) })
    ctes.add(key.toLowerCase())
  }
  return scope
}

/** Its first part begins it, so that only the second sees it. */
function visitRecursive({ right, ...rest }: Tree, scope: Scope): void {
  visit(Object.values(rest), scope)
  visit(right, { ...scope, ctes: new Set([...scope.ctes, String(rest.cte_name).toLowerCase()]) })
}

function checkTable(tree: Tree, { tables, ctes, used }: Scope): void {
  const name = String(tree.table_name)
  const key = name.toLowerCase()
  if (tree.schema_name || tree.catalog_name) throw noTable(`${tree.schema_name ?? tree.catalog_name}.${name}`)
  if (tree.at_clause) throw refused('AT is not allowed in a query')
  if (ctes.has(key)) return
  if (!tables.has(key)) throw noTable(name)
  used.add(key)
}

function noTable(name: string): Problem {
  return refused(`There is no table "${name}"; "filejobs tables" (GET /tables) lists those that there are`)
}

function visitTableFunction(tree: Tree, scope: Scope): void {
  const { function: call, ...rest } = tree
  const called = call as Tree
  checkFunction(called, allowedTableFunctions)
  visit([...Object.values(rest), called.children], scope)
}

/** `DESCRIBE sales` and `SUMMARIZE sales` are queries; `SHOW TABLES` reads the catalogue. */
function checkShow(tree: Tree): void {
  const known = tree.show_type === 'DESCRIBE' || tree.show_type === 'SUMMARY'
  if (!known || !tree.query || tree.table_name)
    throw refused('SHOW is not allowed in a query; "filejobs tables" (GET /tables) lists the tables')
}

function checkFunction(tree: Tree, allowed: Names): void {
  const name = String(tree.function_name)
  // The parser itself puts some of its own, such as list_value, into "main".
  const plain = !tree.catalog && (!tree.schema || tree.schema === 'main')
  if (!plain || !allowed.has(name.toLowerCase())) throw refused(`The function "${name}" is not allowed in a query`)
}

function wordParseError(message: string): string {
  if (message.startsWith('Only SELECT statements') || message.startsWith('A CTE needs a SELECT')) {
    return 'Only SELECT is allowed: a query reads, and changes nothing'
  }
  return message.replace(/\.$/, '')
}
