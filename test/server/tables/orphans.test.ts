import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { writeSales } from '../../helpers/csv.js'
import { enginesOf, importProcess, running, sparesOf } from '../../helpers/engines.js'
import { eventually } from '../../helpers/eventually.js'
import { type ServeProcess, startServe } from '../../helpers/serve.js'
import { partialNames, storedTables } from '../../helpers/stored-state.js'
import { removeFolder, temporaryFolder } from '../../helpers/temporary-folder.js'

const run = promisify(execFile)

/** Made once, since it takes a while. */
let salesFolder: string
beforeAll(async () => {
  salesFolder = await mkdtemp(join(tmpdir(), 'filejobs-test-'))
  await writeSales(join(salesFolder, 'sales.csv'), 1_200_000)
})
afterAll(() => removeFolder(salesFolder))

async function logIn(server: ServeProcess): Promise<Caller> {
  const answer = await fetch(`${server.url}/auth/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: 'correct horse' }),
  })
  return new Caller(server, ((await answer.json()) as { token: string }).token)
}

/** Starts an import, which is suspended, rows and an endless query, each with a process of its own. */
async function busyServer(dataFolder: string) {
  const server = await startServe({ dataFolder })
  const caller = await logIn(server)
  await caller.put('small.csv', 'a\n1\n')
  await caller.call('/import', { method: 'POST', body: { filename: 'small.csv' }, headers: { Prefer: 'wait=60' } })
  await caller.put('sales.csv', await readFile(join(salesFolder, 'sales.csv')))
  const { json } = await caller.post('/import', { filename: 'sales.csv' })
  const importing = await importProcess(server.child.pid)
  // Suspended while it is looked at, so that it does not end before the others have started.
  await eventually('the import has read a part', async () => {
    importing.hold()
    if ((await caller.job(json.id)).bytes > 0) return true
    importing.goOn()
    return false
  })
  await caller.call('/tables/small/rows')
  const sql = 'with recursive t as (select 1 union all select * from t) select count(*) from t'
  caller.post('/query', { sql }).catch(() => {})
  const children = await eventually('three processes run', async () => {
    const found = await enginesOf(server.child.pid!)
    return found.length === 3 && found
  })
  // One of an import was ready, and was taken; that of a query is ready when another one has ended.
  await caller.post('/query', { sql: 'select 1' })
  const spares = await eventually('two processes stand ready', async () => {
    const found = await sparesOf(server.child.pid!)
    return found.length === 2 && found
  })
  return { server, caller, children: [...children, ...spares], importing, importId: json.id as string }
}

const left = async (dataFolder: string) => ({
  partial: await partialNames(dataFolder),
  tables: await storedTables(dataFolder, 'user:ann'),
})

describe('the engine processes', () => {
  it('exit with a killed server, and the next start removes all data of the import', async () => {
    const dataFolder = join(await temporaryFolder(), 'data')
    const { server, children, importing, importId } = await busyServer(dataFolder)
    importing.goOn()
    server.child.kill('SIGKILL')
    await once(server.child, 'close')
    await eventually('the processes are gone', async () => (await running(children)).length === 0, 30_000)
    const next = await startServe({ dataFolder })
    expect(await left(dataFolder)).toEqual({ partial: [], tables: ['small'] })
    const caller = await logIn(next)
    expect(await caller.job(importId)).toMatchObject({ state: 'failed', rows: null, error: { code: 'shutting-down' } })
    expect((await caller.call('/tables')).json.tables).toMatchObject([{ name: 'small', rows: 1 }])
  })

  it('exit with a server that gets two signals', async () => {
    const dataFolder = join(await temporaryFolder(), 'data')
    const { server, children, importing } = await busyServer(dataFolder)
    importing.goOn()
    // A second signal so soon would count as the first one's echo.
    server.child.kill('SIGTERM')
    await eventually('the server has gone, or takes another signal for one', () => {
      server.child.kill('SIGTERM')
      return server.child.exitCode !== null || server.child.signalCode !== null
    })
    await eventually('the processes are gone', async () => (await running(children)).length === 0, 30_000)
  })

  it('ignore a Ctrl-C in the terminal of the server', async () => {
    const dataFolder = join(await temporaryFolder(), 'data')
    const { children, server, importing } = await busyServer(dataFolder)
    const { stdout } = await run('ps', ['-o', 'pgid=', '-p', [server.child.pid, ...children].join(',')])
    const groups = stdout.trim().split(/\s+/)
    importing.goOn()
    expect(new Set(groups).size).toBe(6)
  })
})
