import { join } from 'node:path'
import { expect } from 'vitest'
import type { ServerConfig } from '../../dist/server/config.js'
import { backendOf, queryBackend, variablesOf } from './backend.js'
import { Caller } from './calls.js'
import { eventually } from './eventually.js'
import { fencedBlocks, replaced } from './fenced.js'
import { fleetFlags } from './fleet-flags.js'
import { leftByServers } from './fleet-leftovers.js'
import { runNginx, untilServed } from './nginx.js'
import { freePort, freePorts } from './ports.js'
import { cleanEnvironment, type Running, spawnProgram } from './program.js'

/** Three servers on a database and a bucket, behind a proxy. */
export interface Fleet {
  /** Of the proxy. */
  readonly url: string
  /** Has their scratch folders. */
  readonly folder: string
  /** What all processes have logged. */
  readonly log: { level: string; message: string; [detail: string]: unknown }[]
  admin(): Promise<Caller>
  /** Ends the servers in good order, and fails if they leave anything. */
  close(): Promise<void>
}

/** In the whole run, servers are killed at the same time, when the clock of the machine shows a multiple of this. */
const killEveryMs = 30_000
/** What a killed server held is free within ten seconds. */
const recoveryMs = 10_000

/** Those of this process. */
const running = new Set<Fleet>()
let lastKillAt = Number.NEGATIVE_INFINITY

/** Whether a server was killed since a time of `Date.now()`, or so shortly before that others had not yet taken its jobs. */
export function hasLostServerSince(time: number): boolean {
  return lastKillAt > time - recoveryMs
}

/** Removes all accounts that tests have created, and numbers files anew: a test that is run again finds nothing of its own. */
export async function startAnew(): Promise<void> {
  for (const { admin, folder } of running) {
    const caller = await admin()
    const { json } = await caller.call('/accounts')
    for (const { role, username } of json.accounts) {
      if (role !== 'admin') await caller.call(`/accounts/${role}:${username}`, { method: 'DELETE' })
    }
    // The id of an account is never used again.
    await queryBackend(folder, (sql) => sql`delete from counters where name <> 'account'`)
  }
}

/**
 * Starts three servers as processes behind nginx, configured as docs/cluster-operations.md describes. Every 30 seconds one of
 * them is killed and started again at its address. `folder` has their scratch folders.
 */
export async function startFleet(
  changes: Partial<ServerConfig>,
  folder: string,
  adminPassword: string,
): Promise<Fleet> {
  const ports = await freePorts(3)
  const backend = variablesOf(await backendOf(folder))
  const env = { ...cleanEnvironment(folder), FILEJOBS_ADMIN_PASSWORD: adminPassword, ...backend }
  const processes: Running[] = []
  const start = async (port: number): Promise<Running> => {
    const own = ['--port', String(port), '--data', join(folder, String(port))]
    const args = ['serve', ...own, '--trust-proxy', '1', '--bcrypt-cost', '4', ...fleetFlags(changes)]
    const server = spawnProgram(args, { env })
    processes.push(server)
    await server.says(/^Listening on /m)
    return server
  }
  const servers = await Promise.all(ports.map(start))
  const { url, closeProxy } = await startProxy(folder, ports)

  let next = 0
  let replacing = Promise.resolve()
  let timer: NodeJS.Timeout
  const replace = async () => {
    const at = next++ % servers.length
    servers[at]!.child.kill('SIGKILL')
    lastKillAt = Date.now()
    await servers[at]!.ended()
    servers[at] = await start(ports[at]!)
    wait()
  }
  const wait = () => {
    timer = setTimeout(
      () => {
        replacing = replace()
      },
      killEveryMs - (Date.now() % killEveryMs),
    )
  }
  wait()

  const fleet: Fleet = {
    url,
    folder,
    async admin() {
      const login = { username: 'admin', role: 'admin', password: adminPassword }
      return new Caller({ url }, (await new Caller({ url }, '').post('/auth/login', login)).json.token)
    },
    get log() {
      return processes.flatMap(({ stderr }) => logLines(stderr))
    },
    async close() {
      running.delete(fleet)
      clearTimeout(timer)
      await replacing
      clearTimeout(timer)
      try {
        await eventually('no killed server is left', async () => (await leftByServers(folder)).nodes === servers.length)
        for (const { child } of servers) child.kill('SIGTERM')
        expect(await Promise.all(servers.map((server) => server.ended())), 'exit codes').toEqual([0, 0, 0])
        expect(await leftByServers(folder)).toEqual({ nodes: 0, rows: [], objects: [] })
      } finally {
        for (const { child } of servers) child.kill('SIGKILL')
        await closeProxy()
      }
    },
  }
  running.add(fleet)
  return fleet
}

/** nginx as the documents configure it, without TLS. */
async function startProxy(folder: string, ports: readonly number[]) {
  const port = await freePort()
  const upstream = replaced(
    fencedBlocks('docs/cluster-operations.md', 'nginx')[0]!,
    Object.fromEntries(ports.map((own, index) => [`10.0.0.${index + 1}:8080`, `127.0.0.1:${own}`])),
  )
  const server = replaced(fencedBlocks('docs/deploy.md', 'nginx')[0]!, {
    'listen 443 ssl': `listen 127.0.0.1:${port}`,
    'ssl_certificate /etc/letsencrypt/live/files.example.com/fullchain.pem;': '',
    'ssl_certificate_key /etc/letsencrypt/live/files.example.com/privkey.pem;': '',
    'http://127.0.0.1:8080': 'http://filejobs',
  })
  const closeProxy = await runNginx(folder, `${upstream} ${server}`)
  const url = `http://127.0.0.1:${port}`
  await untilServed(url)
  return { url, closeProxy }
}

function logLines(text: string): Fleet['log'] {
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('{"level":') && line.endsWith('}') ? JSON.parse(line) : []))
}
