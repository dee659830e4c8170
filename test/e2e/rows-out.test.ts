import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { type Client, openClient } from '../helpers/program.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
let client: Client
let token: string | undefined
beforeAll(async () => {
  server = await startTestServer()
})
beforeEach(async () => {
  if (token !== undefined) {
    client = await openClient(server.url, token)
    return
  }
  const account = await makeAccount(server)
  client = account.client
  await writeFile(
    `${client.home}/t.csv`,
    'id,Region,day,n\n1,Europe,2024-01-01,5\n2,Asia,2024-01-02,10\n3,,2024-01-03,\n',
  )
  await client.runHere(['import', 't.csv'])
  await writeFile(`${client.home}/t2.csv`, 'id,Region,day,n\n4,"Europe, \'x\'",2024-01-04,7\n')
  await client.runHere(['import', 't2.csv', '--table', 't'])
  token = account.token
})
afterAll(() => server.close())

async function ids(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await client.runHere(['rows', 't', '--csv', '--columns', 'id', ...args])
  if (code !== 0) throw new Error(stderr)
  return stdout.split('\n').slice(1, -1).join()
}

describe('filejobs rows', () => {
  it('prints rows in the order of the files, oldest import first', async () => {
    expect(await ids()).toBe('1,2,3,4')
    expect(await ids('--limit', '2', '--offset', '1')).toBe('2,3')
  })

  it.each([
    ['Region=Europe', '1'],
    ['region = Asia', '2'],
    ['Region!=Europe', '2,3,4'],
    ['Region=', '3'],
    ['Region!=', '1,2,4'],
    ['Region~europe', '1,4'],
    ["Region=Europe, 'x'", '4'],
    ["Region=' or 1=1 --", ''],
    ['n>5', '2,4'],
    ['n<=7.5', '1,4'],
    ['n=', '3'],
    ['day>=2024-01-03', '3,4'],
    ['day<2024-01-02', '1'],
  ])('prints those with --where %j', async (condition, found) => {
    expect(await ids('--where', condition)).toBe(found)
    expect(await ids('--where', condition, '--limit', '10')).toBe(found)
  })

  it.each(['n>many', 'day=soon', 'missing=1', 'n', 'n>'])('exits with 2 with --where %j', async (condition) => {
    expect(await client.runHere(['rows', 't', '--where', condition])).toMatchObject({ code: 2 })
  })

  it('joins conditions by and, also with dates', async () => {
    expect(await ids('--where', 'n>=5', '--where', 'n<10')).toBe('1,4')
    expect(await ids('--where', 'n>=5', '--from', '2024-01-02')).toBe('2,4')
  })

  it('sorts by several columns, with missing values last', async () => {
    expect(await ids('--sort', '-n')).toBe('2,4,1,3')
    expect(await ids('--sort', 'Region,-id', '--limit', '3')).toBe('2,1,4')
    expect(await ids('--sort', 'n', '--where', 'Region~Europe')).toBe('1,4')
    expect(await client.runHere(['rows', 't', '--sort', 'x'])).toMatchObject({ code: 2 })
  })

  it('prints the columns that are wanted, in their order', async () => {
    const { stdout } = await client.runHere(['rows', 't', '--columns', 'n,id', '--json'])
    expect(stdout.split('\n')[0]).toBe('{"n":5,"id":1}')
  })

  it('writes Parquet, which the engine reads', async () => {
    const wrote = await client.runHere(['rows', 't', '-o', 'out.parquet', '--sort', '-id', '--where', 'id>1'])
    expect(wrote.stdout).toMatch(/^Wrote t to out\.parquet /)
    expect((await readFile(`${client.home}/out.parquet`)).subarray(0, 4).toString()).toBe('PAR1')
    expect(await read('out.parquet')).toBe(
      '[{"id":"4","Region":"Europe, \'x\'"},{"id":"3","Region":null},{"id":"2","Region":"Asia"}]',
    )
    const script = ['rows', 't', '--format', 'xml']
    expect(await client.runHere(script)).toMatchObject({ code: 2 })
  })
})

async function read(name: string): Promise<string> {
  const sql = `select id::varchar as id, Region from '${client.home}/${name}'`
  const script = `import { DuckDBInstance } from '@duckdb/node-api'
    const connection = await (await DuckDBInstance.create()).connect()
    console.log(JSON.stringify((await connection.runAndReadAll(${JSON.stringify(sql)})).getRowObjectsJS()))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  return stdout.trim()
}

describe('filejobs tables', () => {
  it('renames a table and its columns, also those that rows are found by', async () => {
    const { client: own } = await makeAccount(server)
    await writeFile(`${own.home}/t.csv`, 'id,day\n1,2024-01-01\n2,2024-01-02\n')
    await own.runHere(['import', 't.csv'])
    await own.runHere(['import', 't.csv', '--table', 'other'])
    expect(await own.runHere(['tables', 'mv', 't', 'other'])).toMatchObject({ code: 6 })
    expect(await own.runHere(['tables', 'mv', 't', 'u'])).toMatchObject({
      code: 0,
      stdout: 'Renamed the table t to u\n',
    })
    expect(await own.runHere(['tables', 'mv', 't', 'v'])).toMatchObject({ code: 4 })
    expect((await own.runHere(['rows', 'u', '--summary'])).stdout).toContain('day')
    const renamed = await own.runHere(['tables', 'rename-column', 'u', 'DAY', 'the day'])
    expect(renamed.code).toBe(0)
    expect((await own.runHere(['rows', 'u', '--csv', '--from', '2024-01-02'])).stdout).toBe(
      'id,the day\n2,2024-01-02\n',
    )
    expect((await own.runHere(['query', 'select "the day" from u limit 1', '--csv'])).stdout).toBe(
      'the day\n2024-01-01\n',
    )
    expect((await own.runHere(['tables', 'u'])).stdout).toMatch(/the day +date +0 +2024-01-01 +2024-01-02/)
    expect(await own.runHere(['tables', 'rename-column', 'u', 'day', 'x'])).toMatchObject({ code: 4 })
    expect(await own.runHere(['tables', 'rename-column', 'u', 'the day', 'ID'])).toMatchObject({ code: 6 })
    expect(await own.runHere(['tables', 'rename-column', 'u', 'the day', ' '])).toMatchObject({ code: 2 })
  })
})

describe('filejobs query', () => {
  const many = 'select a.id * 1000000 + b.range as n from t a, range(2000) b'

  it('prints all rows as CSV and JSON, and tells people that there are more', async () => {
    const csv = await client.runHere(['query', many, '--csv'])
    expect(csv.stdout.split('\n')).toHaveLength(8002)
    const json = await client.runHere(['query', many, '--json'])
    expect(json.stdout.split('\n')).toHaveLength(8001)
    const shown = await client.runHere(['query', many])
    expect(shown.stderr).toBe('first 1,000 of more rows: --csv prints all\n')
    const limited = await client.runHere(['query', many, '--csv', '--limit', '1500'])
    expect(limited.stdout.split('\n')).toHaveLength(1502)
  })

  it('writes a file, or nothing of it', async () => {
    expect(
      (await client.runHere(['query', 'select id, Region from t where id > 2 -- all', '-o', 'q.parquet'])).code,
    ).toBe(0)
    expect(await read('q.parquet')).toContain('{"id":"3","Region":null}')
    const failed = await client.runHere(['query', "select error('no') from t", '-o', 'failed.csv'])
    expect(failed.code).toBe(10)
    await expect(readFile(`${client.home}/failed.csv`)).rejects.toThrow()
    for (const format of ['csv', 'parquet']) {
      const refused = await client.runHere(['query', "select 1) to '/tmp/x' --", '--format', format])
      expect(refused.code, format).toBe(10)
    }
  })
})
