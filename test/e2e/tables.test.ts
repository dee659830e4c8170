import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { writeSales } from '../helpers/csv.js'
import { holdNextImport } from '../helpers/engines.js'
import { openClient } from '../helpers/program.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { partialNames } from '../helpers/stored-state.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const teams = 'name,city,founded\nRovers,"York, UK",2014-10-08\nUnited,,2014-10-09\nCity,Zoë,2014-10-10\n'

async function withTeams() {
  const account = await makeAccount(server)
  await writeFile(`${account.client.home}/teams.csv`, teams)
  const imported = await account.client.runHere(['import', 'teams.csv'])
  return { ...account, imported }
}

let owner: string | undefined

/** A client of an account with the table of teams, which several tests read and none changes. */
async function readTeams() {
  owner ??= (await withTeams()).token
  return openClient(server.url, owner)
}

/** An import under way, whose process is suspended, so that it does not end before it is stopped. */
async function holdImport() {
  const { client, put } = await makeAccount(server)
  const path = join(client.home, 'sales.csv')
  await writeSales(path, 1000)
  await put('sales.csv', await readFile(path))
  const held = holdNextImport()
  const running = client.start(['import', 'sales.csv', '--remote'])
  await held
  return { client, running }
}

describe('filejobs import', () => {
  it('uploads a local file and creates rows from it', async () => {
    const { client, imported } = await withTeams()
    expect(imported).toEqual({
      code: 0,
      stdout: 'Imported 3 rows of 3 columns from teams.csv into teams\n',
      stderr: '',
    })
    expect((await client.runHere(['ls'])).stdout).toContain('teams.csv')
    const { stdout } = await client.runHere(['tables'])
    expect(stdout).toMatch(/^TABLE +ROWS +COLUMNS +IMPORTS +NEWEST +DATES\nteams +3 +3 +1 +\S+ \S+ +founded\n$/)
  })

  it('imports a file on the server if there is no local one, or with --remote', async () => {
    const { client } = await withTeams()
    await writeFile(`${client.home}/teams.csv`, 'other\n1\n')
    const remote = await client.runHere(['import', 'teams.csv', '--remote', '--table', 'again', '--json'])
    expect(JSON.parse(remote.stdout)).toMatchObject({ table: 'again', rows: 3, file: 'teams.csv' })
    const missing = await client.runHere(['import', 'missing.csv'])
    expect(missing).toMatchObject({ code: 4, stderr: 'Error: There is no file "missing.csv".\n' })
  })

  it('exits with 10 at a line that cannot be parsed, and names the line', async () => {
    const { client } = await makeAccount(server)
    await writeFile(`${client.home}/bad.csv`, 'a,b\n1,2\n3\n')
    const failed = await client.runHere(['import', 'bad.csv'])
    const skip = '"--skip-bad-lines" (skipBadLines) leaves such lines out'
    expect(failed).toEqual({
      code: 10,
      stdout: '',
      stderr: `Error: Line 3: 1 field instead of 2. ${skip}.\n  At byte 8: 3\n`,
    })
    await writeFile(`${client.home}/unnamed.csv`, 'a,\n1,2\n')
    const unnamed = await client.runHere(['import', 'unnamed.csv'])
    expect(unnamed.stderr).toBe(
      'Error: Line 1: Column 2 has no name. "--rename-columns" (renameColumns) gives such columns names.\n  At byte 0: a,\n',
    )
    const skipped = await client.runHere(['import', 'bad.csv', '--skip-bad-lines', '--types', 'a=text,b=decimal(9,2)'])
    expect(skipped).toEqual({
      code: 0,
      stdout: 'Imported 1 row of 2 columns from bad.csv into bad\n',
      stderr: 'Skipped 1 bad line:\n  line 3: 1 field instead of 2\n',
    })
    expect((await client.runHere(['rows', 'bad', '--json'])).stdout).toBe('{"a":"1","b":"2.00"}\n')
  })

  it('reports guesses that may be wrong', async () => {
    const { client, fetch } = await makeAccount(server)
    await writeFile(`${client.home}/d.csv`, 'Date,b\n10/8/2014,x\n2/30/2014,y\n')
    const note = 'Column "Date" was taken for text: line 3 has "2/30/2014", which is no date like %m/%d/%Y.'
    expect(await client.runHere(['import', 'd.csv'])).toEqual({
      code: 0,
      stdout: 'Imported 2 rows of 2 columns from d.csv into d\n',
      stderr: `${note}\n`,
    })
    expect(await (await fetch('/tables/d')).json()).toMatchObject({ imports: [{ notes: [note] }] })
  })

  it('says how to remove the rows before an import with another option', async () => {
    const { client } = await makeAccount(server)
    await writeFile(`${client.home}/d.csv`, 'Date,b\n13/8/2014,x\n14/8/2014,y\n')
    const { stderr } = await client.runHere(['import', 'd.csv'])
    expect(stderr).toContain('"--date-format day-first" (dateFormat) reads them so.\n')
    const [, removal] = stderr.match(/first remove these rows: "filejobs ([^"]+)"\.$/m)!
    expect((await client.run(removal!.split(' '))).code).toBe(0)
    expect((await client.runHere(['import', 'd.csv', '--date-format', 'day-first'])).stderr).toBe('')
    expect((await client.runHere(['rows', 'd', '--csv'])).stdout).toBe('Date,b\n2014-08-13,x\n2014-08-14,y\n')
  })

  it('accepts options for what is detected otherwise', async () => {
    const { client } = await makeAccount(server)
    await writeFile(`${client.home}/x.csv`, '1,31.12.2014, a \n')
    const args = ['--no-header', '--date-format', '%d.%m.%Y', '--date-column', 'column2', '--trim', '--json']
    const { stdout } = await client.runHere(['import', 'x.csv', ...args])
    expect(JSON.parse(stdout)).toMatchObject({ dateColumn: 'column2' })
    expect((await client.runHere(['rows', 'x', '--csv'])).stdout).toBe('column1,column2,column3\n1,2014-12-31,a\n')
    expect((await client.runHere(['import', 'x.csv', '--types', 'nothing'])).code).toBe(2)
    await writeFile(`${client.home}/d.csv`, 'a,b\n3/4/2026,3/4/2026\n')
    expect((await client.runHere(['import', 'd.csv', '--date-format', 'a=day-first,b=month-first'])).stderr).toBe('')
    expect((await client.runHere(['rows', 'd', '--csv'])).stdout).toBe('a,b\n2026-04-03,2026-03-04\n')
    expect((await client.runHere(['import', 'd.csv', '--date-format', 'a=iso,b'])).code).toBe(2)
  })

  it('is stopped by Ctrl-C, and leaves no rows', async () => {
    const { client, running } = await holdImport()
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(running.stdout).toBe('Stopped the import of sales.csv: no row was published.\n')
    expect((await client.runHere(['tables'])).stderr).toMatch(/no tables yet/)
    expect(await partialNames(server.dataFolder)).toEqual([])
  })

  it('waits for imports of two other accounts, and can be stopped by Ctrl-C while it waits', async () => {
    const { running: first } = await holdImport()
    const { running: second } = await holdImport()
    const { client, untilJob } = await makeAccount(server)
    await writeFile(`${client.home}/teams.csv`, teams)
    const running = client.start(['import', 'teams.csv', '--wait'])
    await untilJob('import', 'waiting')
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(running.stdout).toBe('Stopped the import of teams.csv: no row was published.\n')
    for (const other of [first, second]) {
      other.child.kill('SIGINT')
      expect(await other.ended()).toBe(130)
    }
  })

  it('exits with 9 when another client stops it', async () => {
    const { client, running } = await holdImport()
    expect((await client.runHere(['stop', 'import'])).code).toBe(0)
    expect(await running.ended()).toBe(9)
    expect(running.stderr).toMatch(/The import of sales\.csv was stopped by user:/)
  })
})

describe('filejobs rows', () => {
  it('prints aligned columns, and the number of rows', async () => {
    const client = await readTeams()
    expect(await client.runHere(['rows', 'teams', '--limit', '2'])).toEqual({
      code: 0,
      stdout: 'name    city      founded\nRovers  York, UK  2014-10-08\nUnited            2014-10-09\n',
      stderr: '2 of 3 rows.\n',
    })
  })

  it('prints CSV and NDJSON, by page and complete', async () => {
    const client = await readTeams()
    const csv = 'name,city,founded\nRovers,"York, UK",2014-10-08\nUnited,,2014-10-09\nCity,Zoë,2014-10-10\n'
    expect((await client.runHere(['rows', 'teams', '--csv'])).stdout).toBe(csv)
    expect((await client.runHere(['rows', 'teams', '--csv', '--limit', '9'])).stdout).toBe(csv)
    const json = '{"name":"United","city":null,"founded":"2014-10-09"}\n'
    const day = ['--from', '2014-10-09', '--to', '2014-10-10']
    expect((await client.runHere(['rows', 'teams', '--json', ...day])).stdout).toBe(json)
    expect((await client.runHere(['rows', 'teams', '--json', '--limit', '1', '--offset', '1'])).stdout).toBe(json)
  })

  it('writes a complete file or none', async () => {
    const client = await readTeams()
    const { stdout } = await client.runHere(['rows', 'teams', '-o', 'out.csv'])
    expect(stdout).toBe('Wrote teams to out.csv (87 B)\n')
    expect((await readFile(`${client.home}/out.csv`, 'utf8')).split('\n').length).toBe(5)
    expect((await client.runHere(['rows', 'teams', '-o', 'out.csv'])).code).toBe(6)
    expect((await client.runHere(['rows', 'teams', '-o', 'out.csv', '--limit', '1'])).code).toBe(2)
  })

  it('prints a summary', async () => {
    const client = await readTeams()
    const { stdout } = await client.runHere(['rows', 'teams', '--summary'])
    expect(stdout).toMatch(/^3 rows\n\nCOLUMN +TYPE +NULLS +~DISTINCT +MIN +MAX\n/)
    expect(stdout).toMatch(/^city +text +1 +2 +York, UK +Zoë$/m)
    expect(stdout).toMatch(/^2014-10-08 +1 +=+$/m)
    const { rows } = JSON.parse((await client.runHere(['rows', 'teams', '--summary', '--json'])).stdout)
    expect(rows).toBe(3)
  })

  it.each([
    [['rows', 'missing'], 4],
    [['rows', 'teams', '--from', '2014-02-30'], 2],
    [['rows', 'teams', '--limit', '-1'], 2],
    [['rows', 'teams', '--limit', 'all'], 2],
  ])('%j exits with %d', async (args, code) => {
    const client = await readTeams()
    expect((await client.runHere(args)).code).toBe(code)
  })
})

describe('filejobs tables', () => {
  it('shows columns and imports, and removes one import or all', async () => {
    const { client } = await withTeams()
    const second = await client.runHere(['import', 'teams.csv', '--json'])
    const { id } = JSON.parse(second.stdout)
    const { stdout } = await client.runHere(['tables', 'teams'])
    expect(stdout).toMatch(
      /^teams: 6 rows, dates in "founded"\n\nCOLUMN +TYPE +NULLS +MIN +MAX\nname +text +0 +City +United\n/,
    )
    expect((await client.runHere(['tables', 'rm', 'teams', String(id)])).stdout).toBe(
      `Removed the rows of import ${id} from teams\n`,
    )
    expect((await client.runHere(['tables', '--json'])).stdout).toMatch(/"rows":3/)
    expect((await client.runHere(['tables', 'rm', 'teams'])).stdout).toBe('Removed the table teams\n')
    expect((await client.runHere(['tables', 'rm', 'teams'])).code).toBe(4)
  })
})

describe('filejobs query', () => {
  it('prints the result in columns, as CSV and as JSON', async () => {
    const client = await readTeams()
    const sql = 'select city, count(*) n from teams where city is not null group by all order by city'
    expect((await client.run(['query', sql])).stdout).toBe('city      n\nYork, UK  1\nZoë       1\n')
    expect((await client.runHere(['query', sql, '--csv'])).stdout).toBe('city,n\n"York, UK",1\nZoë,1\n')
    expect((await client.runHere(['query', '-', '--json'], { input: sql })).stdout).toBe(
      '{"city":"York, UK","n":1}\n{"city":"Zoë","n":1}\n',
    )
    const limited = await client.runHere(['query', sql, '--limit', '1'])
    expect(limited.stderr).toBe('first 1 of more rows: --csv prints all\n')
  })

  it('exits with 10 for an invalid query', async () => {
    const client = await readTeams()
    const { code, stderr } = await client.runHere(['query', 'drop table teams'])
    expect([code, stderr]).toEqual([10, 'Error: Only SELECT is allowed: a query reads, and changes nothing.\n'])
    const empty = await client.runHere(['query', ''])
    expect([empty.code, empty.stderr]).toEqual([2, 'Error: sql is empty; write one SELECT.\n'])
    const missing = await client.runHere(['query', 'from missing'])
    expect(missing.stderr).toBe(
      'Error: There is no table "missing"; "filejobs tables" (GET /tables) lists those that there are.\n',
    )
  })

  it('is stopped by Ctrl-C', async () => {
    const client = await readTeams()
    const running = client.start([
      'query',
      'with recursive t as (select 1 union all select * from t) select count(*) from t',
    ])
    const asking = async () =>
      (await client.runHere(['jobs', '--kind', 'query', '--state', 'running', '--json'])).stdout
    await expect.poll(asking, { timeout: 60_000 }).not.toBe('')
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(running.stdout).toBe('Stopped the query: its process has ended.\n')
  })
})
