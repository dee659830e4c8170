import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { foldName } from '../../../dist/server/tables/fold-name.js'
import { grammar } from '../../../dist/server/tables/query-grammar.js'
import { checkQuery } from '../../../dist/server/tables/query-guard.js'
import { checkAsync, check as checkProperty } from '../../helpers/properties.js'

let engine: DuckDBConnection

beforeAll(async () => {
  engine = await (await DuckDBInstance.create(':memory:')).connect()
})

/** The engine's own tree, as the process of a query has it. */
async function parse(sql: string): Promise<string> {
  const text = 'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true)'
  return String((await engine.runAndReadAll(text, [sql])).getRows()[0]![0])
}

const isError = (tree: string) => tree.startsWith('{"error":true')
const check = (tree: string) => checkQuery(tree, new Set(['t', 'u']))

/** Queries over `t(id, a, b)` and `u` with every kind of node that may pass. */
const allowed = [
  "select 1, 1.5, 1e5, 12345678901234567890123, 'a', true, null, interval 1 day, date '2020-01-01', time '12:00', 'a'::blob",
  "select {'a': 1, 'b': [1]}, map {'a': 1}, (1, 2), [1, 2][1], [1, 2, 3][1:2], uuid '00000000-0000-0000-0000-000000000000'",
  "select a::enum('x', 'y'), a::struct(x int, y struct(z varchar[])), a::varchar(3), a::decimal(3, 1), a::int[3], a::map(int, text) from t",
  'select * exclude (a) replace (1 as b) rename (id as no) from t',
  "select t.*, columns('a.*'), columns(lambda c: c like 'a'), *columns(*) from t",
  'select * exclude (t.a) from t',
  'from t a(x, y), (select 1) b(z), u',
  'from t join u using (id) left join u v on t.id = v.id natural join u w',
  'from t asof join u on t.id >= u.id',
  'from t semi join u on true',
  "from t pivot (max(a) as m for id in (1, date '2020-01-01' as d, null) group by b)",
  'from t unpivot include nulls (v for n in (a, b as x))',
  'from (unpivot t on columns(* exclude a))',
  'from t tablesample reservoir(20%) repeatable (1)',
  'from t using sample 5 rows',
  'select distinct on (a) b from t order by a desc nulls first, b limit 5 offset 3',
  'select * from t order by all limit 10%',
  'select a, max(b) from t where id > 1 group by grouping sets ((a), (b), ()) having max(b) > 1 qualify rank() over () = 1',
  'select grouping(a) from t group by all',
  'select sum(distinct a order by b) filter (id > 1) from t',
  'select lag(a, 1, 2) over (w rows between 1 preceding and current row exclude ties) from t window w as (partition by a order by b)',
  'select first_value(a order by b) over (order by id range between unbounded preceding and 1 following) from t',
  'with x as (select 1), y(z) as materialized (from x) from y union all by name (with x as (from y) from x) order by 1',
  'with recursive x(n) using key (n) as (select 1 union select n + 1 from x where n < 5) from x',
  'select 1 except all select 2 intersect select 3',
  'values (1, 2), (3, 4)',
  'from range(10) with ordinality r(x, y), unnest([1, 2]) v(w), generate_series(1, 2)',
  'select (select max(id) from u where u.id = t.id), exists (from u), id in (1, 2), id = any (select 1), id between 1 and 2 from t',
  "select case id when 1 then 2 else 3 end, try_cast(a as date), a collate nocase, a like 'x' escape 'y', not a, a is null, #1, try(a) from t",
  "select list_filter([1], lambda x, i: x > i), [x + 1 for x in [1, 2] if x > 1], unnest([1], recursive := true), '{}'::json ->> '$.a'",
  'select * from t where a = 1 and b = 2 or not id > 3',
  'from (describe t)',
  'summarize t',
]

/** Expressions with a place for another one. */
const contexts = [
  '(@)',
  'abs(@)',
  'list_value(1, @)',
  "(@ || 'x')",
  '(not @)',
  '(@ is null)',
  '(@ between 1 and 2)',
  '(1 between @ and 2)',
  '(1 in (1, @))',
  'cast(@ as varchar)',
  '((@) collate nocase)',
  '[@]',
  "{'a': @}",
  'map {1: @}',
  '(@)[1]',
  '[1][@:2]',
  'try(@)',
  'case when @ then 1 end',
  'case 1 when 1 then @ else 2 end',
  'case when true then 1 else @ end',
  '[x + 1 for x in [1] if @]',
  'list_transform([1], lambda x: @)',
  'unnest([@])',
  'sum(@)',
  'max(1 order by @)',
  'count(distinct @)',
  'count(*) filter (where @ is null)',
  'sum(1) over (partition by @)',
  'sum(1) over (order by @ desc)',
  'sum(1) over (rows between @ preceding and current row)',
  'sum(1) over (rows between current row and @ following)',
  'sum(1) filter (@ is null) over ()',
  'lag(1, 1, @) over ()',
  'lag(1, @) over ()',
  'first_value(1 order by @) over ()',
  '(select @)',
  'exists (select 1 where @ is null)',
  '(1 = any (select @))',
  '(select 1 order by @)',
  '(select 1 limit @)',
  '(select 1 limit 1 offset @)',
  '(select distinct on (@) 1)',
  '(select 1 group by @)',
  '(select 1 group by rollup (a, @))',
  '(select 1 having @ is null)',
  '(select 1 qualify @ is null)',
  '(select v from (values (1), (@)) w(v))',
  '(with c as (select @ v) select v from c)',
  '(with recursive c as (select @ v union all select v from c) select max(v) from c)',
  '(with recursive c as (select 1 v union all select @ from c) select max(v) from c)',
  '(select 1 from range(@))',
  '(select 1 from range(1 order by @))',
  '(select 1 from range(distinct 1, @))',
  '(select 1 from range(1) filter (@))',
  '(select 1 from unnest([@]))',
  '(select 1 from t join u on @ is null)',
  '(select 1 from t, lateral (select @) l)',
  '(select count(*) from (select 1 union select @))',
  '(select count(*) from (select * replace (@ as id) from t))',
  '(select max(columns(lambda c: @)) from t)',
  '(select count(*) from (from t pivot (max(@) for id in (1))))',
  '(select count(*) from (from t pivot (max(1) for @ in (1))))',
  '(select count(*) from (describe select @))',
  '(select count(*) from (summarize select @))',
]

const forbiddenSql = [
  "getenv('HOME')",
  "main.getenv('HOME')",
  "current_setting('x')",
  "getvariable('x')",
  "nextval('x')",
  '$1',
  '$name',
  "(select max(content) from read_text('/etc/passwd'))",
  "(select count(*) from parquet_scan('x.parquet'))",
  "(select count(*) from 'x.csv')",
  '(select count(*) from duckdb_settings)',
  '(select count(*) from duckdb_settings())',
  '(with "duc\u212adb_settings" as (select 1) select count(*) from duckdb_settings)',
  '(select count(*) from bobs)',
  '(select count(*) from main.t)',
  '(select count(*) from (show tables))',
  "(from query('select 1'))",
  "(from query_table('t'))",
  "(select count(*) from range(1 order by getenv('HOME')))",
  "sum(1) over (order by getenv('HOME'))",
]

const call = (name: string) => ({ class: 'FUNCTION', type: 'FUNCTION', function_name: name, children: [] })
const from = (table: object) => ({
  type: 'SELECT_NODE',
  select_list: [{ class: 'STAR', type: 'STAR' }],
  from_table: table,
})
const forbiddenNodes: object[] = [
  call('getenv'),
  { ...call('abs'), schema: 'pg_catalog' },
  { ...call('abs'), catalog: 'system' },
  { ...call('getenv'), class: 'WINDOW', type: 'WINDOW_AGGREGATE' },
  { class: 'PARAMETER', type: 'VALUE_PARAMETER', identifier: '1' },
  { class: 'A_LATER_CLASS', type: 'X' },
  { type: 'BASE_TABLE', table_name: 'duckdb_settings' },
  { type: 'BASE_TABLE', table_name: 't', schema_name: 'main' },
  { type: 'TABLE_FUNCTION', function: call('read_text') },
  { type: 'COLUMN_DATA', expected_names: [] },
  { type: 'SHOW_REF', show_type: 'SHOW_UNQUALIFIED', table_name: 'tables' },
  from({ type: 'BASE_TABLE', table_name: 'duckdb_settings' }),
  { node: from({ type: 'TABLE_FUNCTION', function: call('read_text') }) },
]

describe('the query guard', () => {
  it.each(allowed)('allows %s', async (sql) => {
    const tree = await parse(sql)
    expect(isError(tree) ? tree : 'parsed').toBe('parsed')
    expect([...check(tree)].every((name) => name === 't' || name === 'u')).toBe(true)
  })

  it('allows no kind of node that does not occur in the queries above', async () => {
    const unseen = new Set(
      Object.values(grammar)
        .flatMap((kinds) => Object.keys(kinds))
        .filter((kind) => kind !== ''),
    )
    for (const sql of allowed) {
      const tree = await parse(sql)
      for (const kind of unseen) if (tree.includes(`"${kind}"`)) unseen.delete(kind)
    }
    expect([...unseen]).toEqual([])
  })

  it('rejects a forbidden node anywhere in a tree', async () => {
    const trees = await Promise.all(allowed.map(parse))
    const keys = [...new Set(Object.values(grammar).flatMap((kinds) => Object.values(kinds).flatMap(Object.keys)))]
    const refuses = fc.property(
      fc.constantFrom(...trees),
      fc.constantFrom(...forbiddenNodes),
      fc.nat(),
      fc.constantFrom('instead', 'beside', ...keys, 'unknown'),
      (tree, node, place, how) => {
        const whole = JSON.parse(tree)
        const slots = slotsOf(whole.statements[0])
        const { holder, key } = slots[place % slots.length]!
        const there = holder[key]
        if (how === 'beside') holder[key] = Array.isArray(there) ? [...there, node] : [there, node]
        else if (how === 'instead' || typeof there !== 'object' || Array.isArray(there)) holder[key] = node
        else holder[key] = { ...(there as object), [how]: node }
        expect(() => check(JSON.stringify(whole)), JSON.stringify(whole)).toThrow(
          expect.objectContaining({ code: 'malformed-query' }),
        )
      },
    )
    checkProperty(refuses, 3000)
  })

  it('rejects forbidden SQL nested at any depth, and only that', async () => {
    const nested = fc.array(fc.constantFrom(...contexts), { maxLength: 4 })
    const sqlOf = (around: string[], inner: string) =>
      `select ${around.reduce((sql, context) => context.replaceAll('@', sql), inner)} from t`
    const refuses = fc.asyncProperty(nested, fc.constantFrom(...forbiddenSql), async (around, inner) => {
      const fine = await parse(sqlOf(around, 'id'))
      fc.pre(!isError(fine))
      check(fine)
      const tree = await parse(sqlOf(around, inner))
      expect(() => check(tree), sqlOf(around, inner)).toThrow(expect.objectContaining({ code: 'malformed-query' }))
    })
    await checkAsync(refuses, 1500)
  })

  it.each(contexts)('can parse and visit %s', async (context) => {
    const tree = await parse(`select ${context.replaceAll('@', 'id')} from t`)
    expect(isError(tree) ? tree : 'parsed').toBe('parsed')
    check(tree)
  })
})

describe('identifiers in a query', () => {
  it('are case-folded in ASCII only, for all code points', () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const name = String.fromCodePoint(code)
      const folded = code >= 65 && code <= 90 ? String.fromCodePoint(code + 32) : name
      if (foldName(name) !== folded) expect({ code, name: foldName(name) }).toEqual({ code, name: folded })
    }
  })

  it('are distinct for the engine if they are distinct here, in all alphabets with case', async () => {
    const cased: string[] = []
    for (let code = 0x80; code <= 0x10ffff; code++) {
      const letter = String.fromCodePoint(code)
      if (letter.toLowerCase() !== letter || letter.toUpperCase() !== letter) cased.push(letter)
    }
    const names = [...cased, ...'abcdefghijklmnopqrstuvwxyz']
    expect(new Set(names.map(foldName)).size).toBe(names.length)
    // The engine refuses a table two columns of which have the same name.
    await engine.run(`CREATE TABLE letters (${names.map((name) => `"${name}" INTEGER`).join(', ')})`)
    await expect(engine.run('CREATE TABLE capitals ("k" INTEGER, "K" INTEGER)')).rejects.toThrow(/already exists/)
  })

  it.each(['settings', 'views', 'tables'])('cannot hide a catalogue view with a Kelvin sign: %s', async (rest) => {
    const [name, view] = [`duc\u212adb_${rest}`, `duckdb_${rest}`]
    const tree = await parse(`with "${name}" as (select 1) from ${view}`)
    expect(() => check(tree)).toThrow(/There is no table/)
  })
})

/** Every place in a tree that something can stand at. */
function slotsOf(root: unknown): { holder: Record<string, unknown>; key: string }[] {
  if (typeof root !== 'object' || root === null) return []
  const holder = root as Record<string, unknown>
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...slotsOf(holder[key])])
}
