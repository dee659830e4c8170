import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem } from '../../../dist/protocol/problems.js'
import type { QueryAnswer } from '../../../dist/protocol/tables.js'
import { openTableStore } from '../../../dist/server/stores/local/tables.js'
import type { StoredTable, TableStore } from '../../../dist/server/stores/tables.js'
import { importCsv } from '../../../dist/server/tables/import.js'
import { runQuery } from '../../../dist/server/tables/query.js'
import { openQueryProcess, type QueryProcess } from '../../helpers/query-process.js'

let folder: string
let store: TableStore
let tables: StoredTable[]
let shared: QueryProcess
const ann = { role: 'user', username: 'ann' }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filejobs-test-'))
  const partial = join(folder, 'partial')
  await mkdir(partial)
  await writeFile(join(folder, 'secret.key'), 'top secret')
  let last = 0
  store = await openTableStore({ tables: join(folder, 'tables'), partial }, { next: async () => ++last })
  await publish(ann, 'sales', 'id,name,day,price\n1,x,2014-10-08,1.5\n2,y,2014-10-09,2.5\n3,,2014-10-10,\n')
  await publish(ann, 'order', 'a\n1\n')
  await publish({ role: 'user', username: 'bob' }, 'bobs', 'a\n1\n')
  tables = await store.list(ann)
  shared = openQueryProcess(store.folder, tables)
})
afterAll(async () => {
  await shared.close()
  await rm(folder, { recursive: true, force: true })
})

async function publish(space: typeof ann, table: string, content: string): Promise<void> {
  const staged = store.stage(table)
  await writeFile(join(staged.folder, staged.source), content)
  const result = await importCsv({
    folder: staged.folder,
    source: staged.source,
    text: staged.text,
    copy: staged.copy,
    output: staged.output,
    csvOptions: {},
    skipBadLines: false,
    trim: false,
    memoryBytes: 2 ** 28,
    maxBytes: 2 ** 30,
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  })
  const record = { file: `${table}.csv`, sha256: null, sourceBytes: content.length, ...result }
  await store.publish([{ staged, record }], space, table)
  await staged.remove()
}

/** With more time than it has by default, since it may be slow to come to its memory's limit. */
function query(sql: string, timeLimitMs = 100_000) {
  const { signal } = new AbortController()
  return runQuery({ sql, tables, folder: store.folder, maxRows: 1000, timeLimitMs, signal })
}

/** The report of a query that has a process to itself. */
function reportOf(answer: Promise<QueryAnswer>): Promise<Outcome> {
  return answer.then(
    (found) => ({ type: 'done', answer: found }),
    ({ code, message }: Problem) => ({ type: 'failed', code, message }),
  )
}

type Outcome = { type: 'done'; answer: QueryAnswer } | { type: 'failed'; code: string; message: string }

function expectRefusal(report: Outcome): void {
  if (report.type === 'done') expect.fail(`It was answered: ${JSON.stringify(report.answer).slice(0, 500)}`)
  expect(report.code).toBe('malformed-query')
  // No message shows where anything lies.
  expect(report.message).not.toContain(folder)
}

/** Attacks that must be rejected. `@` is the path of bob's table. */
const attempts: [what: string, sql: string][] = [
  ['read a text file', "select * from read_text('/etc/passwd')"],
  ['read a file as bytes', "select * from read_blob('../secret.key')"],
  ['read a CSV', "select * from read_csv('/etc/passwd', delim = ':')"],
  ['read a CSV by its old name', "select * from read_csv_auto('/etc/passwd')"],
  ['read JSON', "select * from read_json('../accounts.json')"],
  ['read lines of JSON', "select * from read_ndjson_objects('../jobs.ndjson')"],
  ["read another account's Parquet", "select * from read_parquet('@')"],
  ['read its own Parquet by path', "select * from read_parquet('user/ann/sales/1.parquet')"],
  ['scan Parquet by another name', "select * from parquet_scan('@')"],
  ['name a file for a table', "select * from '/etc/passwd'"],
  ['name a CSV for a table', "select * from '../uploads/user/bob/x.csv'"],
  ['name a Parquet for a table', 'select * from "@"'],
  ['name its own Parquet for a table', "from 'user/ann/sales/1.parquet'"],
  ['list files', "select * from glob('/**')"],
  ['read metadata of Parquet', "select * from parquet_metadata('@')"],
  ['read the schema of Parquet', "select * from parquet_schema('user/ann/sales/1.parquet')"],
  ['sniff a CSV', "select * from sniff_csv('/etc/passwd')"],
  ['open a database file', "select * from read_duckdb('/tmp/x.db')"],
  ['fetch a URL', "select * from read_csv('http://127.0.0.1:1/x.csv')"],
  ["read another account's table", 'select * from bobs'],
  ['read a table by catalogue and schema', 'select * from memory.main.sales'],
  ['read a table by its schema', 'select * from main.sales'],
  ['read the catalogue', 'select * from information_schema.tables'],
  ["read the engine's settings", 'select * from duckdb_settings()'],
  ["read the engine's settings by a view", 'select * from pg_settings'],
  ["read the engine's tables", 'select * from duckdb_tables'],
  ['read what SQLite would have', 'select * from sqlite_master'],
  ["read PostgreSQL's catalogue", 'select * from pg_catalog.pg_tables'],
  ['read secrets', 'select * from duckdb_secrets()'],
  ['read the memory of the engine', 'select * from duckdb_memory()'],
  ['read a setting', "select current_setting('allowed_paths')"],
  ['read the environment', "select getenv('HOME')"],
  ['read a variable', "select getvariable('x')"],
  ['read the version', 'select version()'],
  ['read a pragma', "select * from pragma_table_info('sales')"],
  ['read the size of the database', 'select * from pragma_database_size()'],
  ['run SQL given as text', "select * from query('select 1')"],
  ['run a table given as text', "select * from query_table('duckdb_settings')"],
  ['run serialized SQL', "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))"],
  ['serialize SQL', "select json_serialize_sql('select 1')"],
  ['complete SQL', "select * from sql_auto_complete('select ')"],
  ['sleep', 'select sleep_ms(1000)'],
  ['write a log', "select write_log('x')"],
  ['call a table function unknown to the list', 'select * from repeat_row(1, num_rows = 5)'],
  ['test all types', 'select * from test_all_types()'],
  [
    'hide a view behind a CTE of its name',
    'with duckdb_settings as (select * from duckdb_settings) from duckdb_settings',
  ],
  [
    'use a CTE where it cannot be seen',
    'select * from duckdb_views, (with duckdb_views as (select 1) from duckdb_views)',
  ],
  ['use a CTE before it is there', 'with a as (from duckdb_types), duckdb_types as (select 1) from a'],
  [
    'begin a recursion by a view of its name',
    'with recursive pg_class as (from pg_class union all from pg_class) from pg_class',
  ],
  ['hide a call in a subquery', "select (select max(content) from read_text('/etc/passwd'))"],
  ['hide a call in an order', "select 1 from sales order by (select content from read_text('/etc/passwd'))"],
  ['hide a call in a limit', "select 1 from sales limit (select size from read_text('/etc/passwd'))"],
  ['hide a call in a join', "select 1 from sales join read_text('/etc/passwd') on true"],
  ['hide a call in a lambda', "select list_transform([1], lambda x: getenv('HOME'))"],
  ['hide a call in a window', "select sum(1) over (partition by getenv('HOME')) from sales"],
  ['hide a call in a filter', "select count(*) filter (getenv('HOME') = 'x') from sales"],
  ['hide a view behind the Kelvin sign', 'with "duc\u212adb_views" as (select 1) from duckdb_views'],
  [
    'hide raw Parquet behind the Kelvin sign',
    'with "par\u212auet" as (select 1), "user/ann/sales/1.par\u212auet" as (select 1) from \'user/ann/sales/1.parquet\'',
  ],
  [
    'begin a recursion behind the Kelvin sign',
    'with recursive "duc\u212adb_views" as (select 1 union all select count(*) from duckdb_views) from "duc\u212adb_views"',
  ],
  ['hide a call in the order of a table function', "select * from range(1 order by getenv('HOME'))"],
  [
    'hide a file in the order of a table function',
    "from range(1 order by (select content from read_text('/etc/passwd')))",
  ],
  ['hide a call in the filter of a table function', "from range(1) filter (getenv('HOME') = 'x')"],
  ['hide a call in the order of a window function', "select first_value(1 order by getenv('HOME')) over () from sales"],
  ['hide a call in a replaced column', "select * replace (getenv('HOME') as id) from sales"],
  [
    'hide a call in the second part of a recursion',
    "with recursive t as (select 'a' x union all select getenv('HOME') from t) from t",
  ],
  ['hide a setting in a pivot', "from sales pivot (count(*) for current_setting('threads') in ('1'))"],
  ['name a type of another schema', "select 'a'::pg_catalog.text"],
  ['hide a call in VALUES', "values (getenv('HOME'))"],
  ['hide a call in a pivot', "from sales pivot (max(getenv('HOME')) for id in (1))"],
  ['hide a call behind capitals', "select GetEnv('HOME')"],
  ['hide a call behind quotes', 'select "getenv"(\'HOME\')'],
  ['hide a call behind its schema', "select main.getenv('HOME')"],
  ['hide a call behind a method', "select ('HOME').getenv()"],
  ['hide a call behind comments', "select/**/getenv/**/('HOME')"],
  ['send two statements', 'select 1; select 2'],
  ['send a statement after a comment', 'select 1; -- x\ndrop view sales'],
  ['make a table', 'create table x as select 1'],
  ['make a macro', "create macro f() as getenv('HOME')"],
  ['insert rows', 'insert into sales values (1)'],
  ['insert rows in a CTE', 'with x as (insert into sales values (1) returning *) from x'],
  ['delete rows', 'delete from sales'],
  ['update rows', 'update sales set id = 1'],
  ['drop a table', 'drop view sales'],
  ['copy out', "copy sales to '/tmp/filejobs-sandbox.csv'"],
  [
    'copy over the file of a table',
    "copy (select 1) to 'user/ann/sales/1.parquet' (format parquet, use_tmp_file false)",
  ],
  ['copy in', "copy sales from '/etc/passwd'"],
  ['export the database', "export database '/tmp/filejobs-sandbox'"],
  ['attach a database', "attach '/tmp/filejobs-sandbox.db' as x"],
  ['detach a database', 'detach memory'],
  ['change a setting', "set memory_limit = '100GB'"],
  ['unlock the configuration', 'reset lock_configuration'],
  ['change a setting by a pragma', 'pragma threads = 8'],
  ['install an extension', 'install httpfs'],
  ['load an extension', "load '/tmp/x.duckdb_extension'"],
  ['set a variable', 'set variable x = 1'],
  ['prepare a statement', 'prepare x as select 1'],
  ['execute a statement', 'execute x'],
  ['call a function', 'call pragma_version()'],
  ['explain', 'explain select 1'],
  ['explain and run', "explain analyze copy sales to '/tmp/filejobs-sandbox.csv'"],
  ['show tables', 'show tables'],
  ['show all tables', 'show all tables'],
  ['describe a file', "describe select * from '/etc/passwd'"],
  ['summarize a file', "summarize '/etc/passwd'"],
  ['make a secret', "create secret s (type s3, key_id 'a', secret 'b')"],
  ['begin a transaction', 'begin'],
  ['checkpoint', 'checkpoint'],
  ['vacuum', 'vacuum'],
  ['pass a parameter', 'select $1'],
  ['leave the text empty', ' ; '],
  ['name a table with SQL in it', `select * from "sales""; drop view sales; --"`],
]

/** What may bring down its process, which each of these has to itself. */
const heavyAttempts: [what: string, sql: string][] = [
  ['nest without end', `select ${'abs('.repeat(5000)}1${')'.repeat(5000)}`],
  ['fill the memory by a list', 'select list(a.range) from range(100000000) a'],
  ['fill the memory by a text', "select length(repeat('x', 2000000000) || repeat('y', 2000000000))"],
  ['fill the memory by a join', 'select count(distinct a.range * b.range) from range(100000) a, range(100000) b'],
]

describe('a query cannot', () => {
  it('succeed with any of the attacks below, which are at least 40', () => {
    expect(attempts.length + heavyAttempts.length).toBeGreaterThanOrEqual(40)
  })

  it.each(attempts)('%s', async (_, sql) => {
    expectRefusal(await shared.report(sql.replaceAll('@', 'user/bob/bobs/3.parquet')))
  })

  it.concurrent.each(heavyAttempts)('%s', async (_, sql) => {
    expectRefusal(await reportOf(query(sql)))
  })

  it.concurrent('run endlessly', async () => {
    const endless = 'with recursive t as (select 1 union all select * from t) select count(*) from t'
    await expect(query(endless, 3000)).rejects.toMatchObject({ code: 'query-too-long' })
    const wide = 'select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = -1'
    await expect(query(wide, 3000)).rejects.toMatchObject({ code: 'query-too-long' })
  })
})

describe('a query can', () => {
  it.each([
    [
      'read its tables',
      'select id, name from sales order by id',
      [
        { id: 1, name: 'x' },
        { id: 2, name: 'y' },
        { id: 3, name: null },
      ],
    ],
    ['begin with FROM', 'from "order"', [{ a: 1 }]],
    ['name tables in any case', 'select count(*) n from SALES', [{ n: 3 }]],
    ['join', 'select count(*) n from sales s join "order" o on s.id = o.a', [{ n: 1 }]],
    ['group and filter', "select sum(price) p from sales where day >= date '2014-10-09'", [{ p: 2.5 }]],
    ['use windows', 'select row_number() over (order by id desc) n from sales qualify n = 3', [{ n: 3 }]],
    ['use common tables', 'with a as (select id from sales), b as (from a) select max(id) m from b', [{ m: 3 }]],
    [
      'recurse',
      'with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select max(n) m from t',
      [{ m: 5 }],
    ],
    ['make lists and structs', "select [x * 2 for x in [1, 2]] l, {'a': 1} s", [{ l: [2, 4], s: { a: 1 } }]],
    [
      'compute with time',
      "select date_trunc('month', day) m, strftime(day, '%d.%m.%Y') t from sales limit 1",
      [{ m: '2014-10-01T00:00:00', t: '08.10.2014' }],
    ],
    ['tell names that are doubled apart', 'select 1 a, 2 a', [{ a: 1, 'a:1': 2 }]],
    [
      'give what JSON has no number for as text',
      'select 9007199254740993 i, 1.50::decimal(5,2) d, 1e308 * 10 f, 2::hugeint h',
      [{ i: '9007199254740993', d: '1.50', f: 'Infinity', h: 2 }],
    ],
    ['describe a table', 'select column_name from (describe sales) limit 1', [{ column_name: 'id' }]],
    ['pivot', "from (select id, name from sales) pivot (count(*) for name in ('x'))", expect.anything()],
    ['use sets', 'select 1 union all select 2 except select 2', expect.anything()],
  ])('%s', async (_, sql, results) => {
    expect(await shared.report(sql)).toMatchObject({ type: 'done', answer: { results } })
  })

  it('return at most 1,000 rows, and 8 MiB', async () => {
    const many = await query('select range from range(5000)')
    expect([many.results.length, many.truncated]).toEqual([1000, true])
    const exact = await query('select range from range(1000)')
    expect([exact.results.length, exact.truncated]).toEqual([1000, false])
    const large = await query("select repeat('x', 3000000) t from range(10)")
    expect([large.results.length, large.truncated]).toEqual([2, true])
    await expect(query("select repeat('x', 9000000) t")).rejects.toMatchObject({
      code: 'malformed-query',
      message: 'The first row alone has more than 8 MiB, the most that an answer may have.',
    })
  })

  it('be invalid, and gets the position of the error', async () => {
    const wrong = (sql: string) => shared.report(sql)
    const failed = (message: RegExp) => ({ code: 'malformed-query', message: expect.stringMatching(message) })
    expect(await wrong('select nme from sales')).toMatchObject(failed(/"nme" not found.*LINE 1/s))
    expect(await wrong('selct 1')).toMatchObject(failed(/syntax error at or near "selct"/))
    const { message } = (await wrong("select sum('x')")) as { message: string }
    expect(message).toMatch(/\n {2}sum\(DOUBLE\) -> DOUBLE\n[^\t]*\nLINE 1: select sum\('x'\)\n +\^$/)
    expect(await wrong('select 1 + from sales')).toMatchObject(failed(/syntax error/))
  })
})

it('no query above has changed a file', async () => {
  expect(await readFile(join(folder, 'secret.key'), 'utf8')).toBe('top secret')
  expect((await readdir(folder)).sort()).toEqual(['partial', 'secret.key', 'tables'])
  expect((await readdir(store.folder, { recursive: true })).filter((name) => name.endsWith('.parquet')).sort()).toEqual(
    ['user/ann/order/2.parquet', 'user/ann/sales/1.parquet', 'user/bob/bobs/3.parquet'],
  )
  expect(await readdir(tmpdir())).not.toEqual(expect.arrayContaining([expect.stringContaining('filejobs-sandbox')]))
})
