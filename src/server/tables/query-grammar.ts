/**
 * The grammar of allowed parse trees, in the engine's format: the content of each key of each type of node. Everything
 * else is rejected, so that nothing in a tree is unchecked: neither a key nor a type of a later engine.
 */
export type Part =
  /** A string, a number, a boolean, or lists of these. */
  | 'plain'
  /** Values, and names in objects: no node is inside. */
  | 'inert'
  | NodePart

/** Parts that contain nodes; nested lists of them are the same part. */
export type NodePart =
  | ('statement' | 'select' | 'query' | 'common tables' | 'common table entry' | 'common table')
  | ('table' | 'table function' | 'pivot' | 'pivot entry' | 'sample')
  | ('expression' | 'case check' | 'replacement' | 'modifier' | 'order' | 'type' | 'type info' | 'member type')

export type Keys = Readonly<Record<string, Part>>

/** Expressions are distinguished by `class`, the others by `type`. */
export const kindKey: Readonly<Partial<Record<NodePart, 'class' | 'type'>>> = {
  query: 'type',
  table: 'type',
  'table function': 'class',
  expression: 'class',
  modifier: 'type',
  'type info': 'type',
}

const anyExpression: Keys = { class: 'plain', type: 'plain', alias: 'plain', query_location: 'plain' }
const anyQuery: Keys = { type: 'plain', modifiers: 'modifier', cte_map: 'common tables' }
const anyTable: Keys = {
  ...{ type: 'plain', alias: 'plain', query_location: 'plain', column_name_alias: 'plain', sample: 'sample' },
}
const children: Keys = { ...anyExpression, children: 'expression' }
const functionCall: Keys = {
  ...children,
  ...{ function_name: 'plain', schema: 'plain', catalog: 'plain', filter: 'expression', order_bys: 'modifier' },
  ...{ distinct: 'plain', is_operator: 'plain', export_state: 'plain' },
}

/** Parts of one type have the key `''`. */
export const grammar: Readonly<Record<NodePart, Readonly<Record<string, Keys>>>> = {
  statement: { '': { node: 'query' } },
  select: { '': { node: 'query' } },
  query: {
    SELECT_NODE: {
      ...anyQuery,
      ...{ select_list: 'expression', from_table: 'table', where_clause: 'expression', having: 'expression' },
      ...{ group_expressions: 'expression', group_sets: 'plain', aggregate_handling: 'plain', qualify: 'expression' },
      sample: 'sample',
    },
    SET_OPERATION_NODE: { ...anyQuery, setop_type: 'plain', setop_all: 'plain', left: 'query', right: 'query' },
    RECURSIVE_CTE_NODE: {
      ...anyQuery,
      ...{ cte_name: 'plain', union_all: 'plain', left: 'query', right: 'query', aliases: 'plain' },
      key_targets: 'expression',
    },
  },
  'common tables': { '': { map: 'common table entry' } },
  'common table entry': { '': { key: 'plain', value: 'common table' } },
  'common table': {
    '': { aliases: 'plain', query: 'select', materialized: 'plain', key_targets: 'expression' },
  },
  table: {
    BASE_TABLE: { ...anyTable, catalog_name: 'plain', schema_name: 'plain', table_name: 'plain' },
    JOIN: {
      ...anyTable,
      ...{ left: 'table', right: 'table', condition: 'expression', join_type: 'plain', ref_type: 'plain' },
      ...{ using_columns: 'plain', delim_flipped: 'plain', duplicate_eliminated_columns: 'expression' },
    },
    SUBQUERY: { ...anyTable, subquery: 'select' },
    TABLE_FUNCTION: { ...anyTable, function: 'table function', with_ordinality: 'plain' },
    EMPTY: anyTable,
    EXPRESSION_LIST: { ...anyTable, expected_names: 'plain', expected_types: 'type', values: 'expression' },
    PIVOT: {
      ...anyTable,
      ...{ source: 'table', aggregates: 'expression', pivots: 'pivot' },
      ...{ unpivot_names: 'plain', groups: 'plain', include_nulls: 'plain' },
    },
    SHOW_REF: { ...anyTable, table_name: 'plain', show_type: 'plain', query: 'query' },
  },
  'table function': { FUNCTION: functionCall },
  pivot: {
    '': { pivot_expressions: 'expression', unpivot_names: 'plain', pivot_enum: 'plain', entries: 'pivot entry' },
  },
  'pivot entry': { '': { values: 'inert', star_expr: 'expression', alias: 'plain' } },
  sample: { '': { sample_size: 'inert', is_percentage: 'plain', method: 'plain', seed: 'plain' } },
  expression: {
    BETWEEN: { ...anyExpression, input: 'expression', lower: 'expression', upper: 'expression' },
    CASE: { ...anyExpression, case_checks: 'case check', else_expr: 'expression' },
    CAST: { ...anyExpression, child: 'expression', cast_type: 'type', try_cast: 'plain' },
    COLLATE: { ...anyExpression, child: 'expression', collation: 'plain' },
    COLUMN_REF: { ...anyExpression, column_names: 'plain' },
    COMPARISON: { ...anyExpression, left: 'expression', right: 'expression' },
    CONJUNCTION: children,
    CONSTANT: { ...anyExpression, value: 'inert' },
    FUNCTION: functionCall,
    LAMBDA: { ...anyExpression, lhs: 'expression', expr: 'expression' },
    OPERATOR: children,
    POSITIONAL_REFERENCE: { ...anyExpression, index: 'plain' },
    STAR: {
      ...anyExpression,
      ...{ relation_name: 'plain', columns: 'plain', exclude_list: 'plain', qualified_exclude_list: 'inert' },
      ...{ rename_list: 'inert', replace_list: 'replacement', expr: 'expression' },
    },
    SUBQUERY: {
      ...anyExpression,
      ...{ subquery_type: 'plain', subquery: 'select', child: 'expression', comparison_type: 'plain' },
    },
    WINDOW: {
      ...functionCall,
      ...{ partitions: 'expression', orders: 'order', arg_orders: 'order', filter_expr: 'expression' },
      ...{ start: 'plain', end: 'plain', start_expr: 'expression', end_expr: 'expression' },
      ...{ offset_expr: 'expression', default_expr: 'expression', ignore_nulls: 'plain', exclude_clause: 'plain' },
    },
  },
  'case check': { '': { when_expr: 'expression', then_expr: 'expression' } },
  replacement: { '': { key: 'plain', value: 'expression' } },
  modifier: {
    ORDER_MODIFIER: { type: 'plain', orders: 'order' },
    LIMIT_MODIFIER: { type: 'plain', limit: 'expression', offset: 'expression' },
    LIMIT_PERCENT_MODIFIER: { type: 'plain', limit: 'expression', offset: 'expression' },
    DISTINCT_MODIFIER: { type: 'plain', distinct_on_targets: 'expression' },
  },
  order: { '': { type: 'plain', null_order: 'plain', expression: 'expression' } },
  type: { '': { id: 'plain', type_info: 'type info' } },
  'type info': {
    DECIMAL_TYPE_INFO: { type: 'plain', alias: 'plain', width: 'plain', scale: 'plain' },
    LIST_TYPE_INFO: { type: 'plain', alias: 'plain', child_type: 'type' },
    ARRAY_TYPE_INFO: { type: 'plain', alias: 'plain', child_type: 'type', size: 'plain' },
    STRUCT_TYPE_INFO: { type: 'plain', alias: 'plain', child_types: 'member type' },
    UNBOUND_TYPE_INFO: { type: 'plain', alias: 'plain', name: 'plain', user_type_modifiers: 'inert' },
  },
  'member type': { '': { first: 'plain', second: 'type' } },
}

/** The keys inside values, and column names in objects. */
export const inertKeys: ReadonlySet<string> = new Set([
  ...['type', 'id', 'type_info', 'alias', 'name', 'width', 'scale', 'size', 'child_type', 'child_types', 'first'],
  ...['second', 'is_null', 'value', 'children', 'months', 'days', 'micros', 'upper', 'lower', 'user_type_modifiers'],
  ...['catalog', 'schema', 'table', 'column', 'key', 'collation', 'values', 'values_count', 'dict'],
])
