import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import type { ServeProcess } from '../../helpers/serve.js'
import { startCluster, type TestCluster } from './servers.js'
import { WildClient } from './wild-client.js'

export interface WildClusterOptions {
  clients: number
  /** How many times a server is killed or suspended. */
  faults: number
  seed?: number
}

/**
 * Three servers, of which one after the other is killed and replaced, or suspended for longer than its lease, while clients
 * upload, stop, pause and read by any of them. In the end every file is what its client was told, and the bucket has the
 * objects of these files and of uploads that can be resumed, nothing else.
 */
export async function checkWildCluster({ clients, faults, seed = Date.now() % 2 ** 31 }: WildClusterOptions) {
  console.log(`seed ${seed}`)
  const random = randomOf(seed)
  const cluster = await startCluster(3)
  let isOver = false
  const alive = new Set(cluster.servers)
  const anyServer = () => [...alive][Math.floor(random() * alive.size)]!.url
  const tokens = await Promise.all(
    Array.from({ length: clients }, async (_, at) => (await cluster.logIn(`client-${at}`))[0]!.token),
  )
  const wild = tokens.map((token) => new WildClient({ token, anyServer, random, isOver: () => isOver }))
  const runs = Promise.all(wild.map((client) => client.run()))
  // Otherwise a failure while a fault is being made would be unhandled.
  runs.catch(() => {})
  try {
    for (let fault = 0; fault < faults; fault++) {
      await Promise.race([runs, delay(1000 + random() * 4000)])
      const server = [...alive][Math.floor(random() * alive.size)]!
      if (fault % 4 === 3) await suspend(server)
      else await replace(cluster, server, alive)
    }
  } finally {
    isOver = true
  }
  await within('the end of all clients', runs).catch((error) => {
    throw new Error([error.message, ...wild.map((client) => client.recent)].join('\n\n'), { cause: error })
  })
  for (const client of wild) await client.checkAll()
  for (const token of tokens) await noneRuns(new Caller({ url: anyServer() }, token))
  await eventually('the bucket has nothing but what is published or resumable', () => isBucketClean(cluster))
  const sum = (key: 'answered' | 'lost' | 'stopped') => wild.reduce((total, { done }) => total + done[key], 0)
  console.log(`${sum('answered')} requests answered, ${sum('lost')} lost, ${sum('stopped')} uploads stopped`)
  return { answered: sum('answered'), stopped: sum('stopped') }
}

async function replace(cluster: TestCluster, server: ServeProcess, alive: Set<ServeProcess>): Promise<void> {
  alive.delete(server)
  server.child.kill('SIGKILL')
  await server.ended()
  alive.add(await cluster.add())
}

async function suspend(server: ServeProcess): Promise<void> {
  server.child.kill('SIGSTOP')
  await delay(8000)
  server.child.kill('SIGCONT')
}

async function noneRuns(caller: Caller): Promise<void> {
  await eventually('no job runs', async () => {
    const { status, json } = await caller.call('/jobs?state=running,paused,waiting')
    return status === 200 && json.jobs.length === 0
  })
}

async function isBucketClean({ database, keys }: TestCluster): Promise<boolean> {
  const sql = database.connect(1)
  const rows = await sql<{ key: string; size: string; isPublished: boolean }[]>`
    select key, size, exists (select from files where files.content = objects.content) as "isPublished" from objects
    where exists (select from files where files.content = objects.content)
      or exists (select from partials where partials.content = objects.content)`
  await sql.end({ timeout: 1 })
  const owned = new Set(rows.map(({ key }) => key))
  const found = keys()
  for (const { key, isPublished } of rows) if (isPublished) expect(found, 'an object of a file').toContain(key)
  return found.every((key) => owned.has(key))
}

/** Numbers of [0, 1), the same for the same seed (the linear congruential generator of Numerical Recipes). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
