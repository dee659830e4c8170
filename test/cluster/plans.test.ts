import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fillTables } from '../../bench/large-tables.mjs'
import { Caller, holdUpload } from '../helpers/calls.js'
import { Tus } from '../helpers/tus.js'
import { type ExplainedStatement, explainDatabase, type PlanNode } from './helpers/explained-database.js'
import { hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('the statements of claims, lists and publishes', () => {
  it.each(['force_custom_plan', 'force_generic_plan'] as const)(
    'read no large table from end to end (%s)',
    async (plans) => {
      const cluster = await startCluster(1)
      const [ann] = await cluster.logIn('bench')
      await fillTables(cluster.database.connect(1), {
        accounts: 5000,
        endedJobs: 20_000,
        pausedJobs: 500,
        files: 20_000,
      })
      const database = await explainDatabase(cluster.database, plans)
      const servers = [
        await cluster.add({ databaseUrl: database.url }),
        await cluster.add({ databaseUrl: database.url }),
      ]
      const callers = servers.map((server) => new Caller(server, ann!.token)) as [Caller, Caller]
      const admin = (await cluster.logInAdmin())[1]!
      await useAll(callers, admin)
      const statements = database.statements()
      for (const table of largeTables)
        expect(
          statements.some(({ plan }) => uses(plan, table)),
          table,
        ).toBe(true)
      expect([...new Set(statements.flatMap(scannedTables))]).toEqual([])

      // It has every account with what it stores, but of the jobs only those that run.
      expect((await admin.call('/accounts')).status).toBe(200)
      const ofAccounts = database.statements().slice(statements.length)
      expect(ofAccounts.filter(({ plan }) => uses(plan, 'jobs'))).not.toEqual([])
      expect(ofAccounts.flatMap(scannedTables).filter((text) => text.startsWith('jobs: '))).toEqual([])
    },
  )

  it('look only for jobs of the states that are listed', async () => {
    const cluster = await startCluster(0)
    const database = await explainDatabase(cluster.database, 'force_custom_plan')
    await cluster.add({ databaseUrl: database.url })
    const [ann] = await cluster.logIn('ann')
    const queriesOf = async (path: string) => {
      const before = database.statements().length
      expect((await ann!.call(path)).status).toBe(200)
      return database
        .statements()
        .slice(before)
        .map(({ query }) => query)
    }
    const ofEnded = expect.stringMatching(/select [^()]* from jobs\s+where ended_at is not null/)
    const ofUnfinished = expect.stringMatching(/from jobs\s+where ended_at is null and node is distinct from/)
    expect(await queriesOf('/jobs')).toEqual(expect.arrayContaining([ofEnded, ofUnfinished]))
    const ended = await queriesOf('/jobs?state=failed,done')
    expect(ended).toContainEqual(ofEnded)
    expect(ended).not.toContainEqual(ofUnfinished)
    const unfinished = await queriesOf('/jobs?state=running,paused')
    expect(unfinished).toContainEqual(ofUnfinished)
    expect(unfinished).not.toContainEqual(ofEnded)
  })
})

/** Uploads, replaces, moves and removes files, also through the other server, and lists them and jobs in each way. */
async function useAll([here, there]: [Caller, Caller], admin: Caller): Promise<void> {
  const [from, to] = [new Date(Date.now() - 7 * 86_400_000).toISOString(), new Date().toISOString()]
  const lists = [
    ...['/jobs', '/jobs?state=failed', '/jobs?kind=import&state=done', '/jobs?state=running,paused'],
    ...[`/jobs?from=${from}&to=${to}`, `/jobs?kind=upload&to=${from}`, `/jobs?error=disk-full&from=${from}`],
  ]
  for (const path of lists) {
    expect((await here.call(path)).status).toBe(200)
    expect((await admin.call(`${path}${path.includes('?') ? '&' : '?'}account=all`)).status).toBe(200)
  }
  expect((await admin.call('/jobs?account=user:bench&state=done')).status).toBe(200)
  expect((await here.put('a.bin', randomBytes(1000))).status).toBe(201)
  expect((await there.put('a.bin', randomBytes(1000))).status).toBe(200)
  expect((await there.call('/files/a.bin')).status).toBe(200)
  for (const path of ['/files', '/files?prefix=folder/&limit=100', '/files?search=file-77']) {
    expect((await here.call(path)).status).toBe(200)
  }
  const held = await holdUpload(here, 'held.bin')
  const waiting = there.put('waits.bin', 'x', { Prefer: 'wait=20' })
  await there.findJob('state=waiting')
  expect((await there.post(`/jobs/${held.id}/stop`)).status).toBe(200)
  expect((await waiting).status).toBe(201)
  const [tusHere, tusThere] = [new Tus(here), new Tus(there)]
  const path = await tusHere.begin({ name: 'tus.bin', length: 1_000_000 })
  await tusHere.hold(path, 0, Buffer.alloc(1000))
  expect(await tusThere.offset(path)).toBe(1000)
  expect((await tusThere.patch(path, 1000, Buffer.alloc(999_000))).status).toBe(204)
  expect((await here.call('/files/a.bin', { method: 'DELETE' })).status).toBe(204)
}

const largeTables = ['accounts', 'files', 'jobs', 'objects', 'sessions']

/** The large tables of which a statement reads all rows, each with its text. */
function scannedTables({ query, plan }: ExplainedStatement): string[] {
  return nodesOf(plan)
    .filter((node) => node['Node Type'] === 'Seq Scan' && largeTables.includes(node['Relation Name']!))
    .map((node) => `${node['Relation Name']}: ${query.replaceAll(/\s+/g, ' ')}`)
}

function uses(plan: PlanNode, table: string): boolean {
  return nodesOf(plan).some((node) => node['Relation Name'] === table)
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
