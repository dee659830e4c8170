import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../dist/server/clock.js'
import { parseConfig, type ServerConfig } from '../../dist/server/config.js'
import { auditMessage, type Log } from '../../dist/server/log.js'
import { type RunningServer, startServer } from '../../dist/server/start.js'
import { isFleet } from '../run/is-cluster.js'
import { backendOf, removeBackend } from './backend.js'
import { Caller } from './calls.js'
import { startFleet } from './fleet.js'
import { removeFolder } from './temporary-folder.js'

export interface TestServer extends RunningServer {
  dataFolder: string
  /** The errors in the server's log. */
  errors: string[]
  /** What else it logged. */
  logged: { message: string; details: Record<string, unknown> }[]
  /** Signs up, or logs in, and returns the token. */
  logIn(username: string, role?: string): Promise<string>
}

/** Starts a real server on a free port and a new folder; `close` removes the folder too unless it was given. */
export async function startTestServer(changes: Partial<ServerConfig> = {}, clock?: Clock): Promise<TestServer> {
  const dataFolder = changes.dataFolder ?? (await mkdtemp(join(tmpdir(), 'filejobs-')))
  if (isFleet) return startTestFleet(changes, dataFolder, clock)
  const errors: string[] = []
  const logged: TestServer['logged'] = []
  const log: Log = {
    info: (message, details = {}) => logged.push({ message, details }),
    audit: (event, record) => logged.push({ message: auditMessage(event, record), details: { event, ...record } }),
    warn: (message, error) => logged.push({ message, details: { error: String(error) } }),
    error: (message, error) => errors.push(`${message}: ${error}`),
  }
  const config = {
    ...parseConfig({}, {}),
    cluster: await backendOf(dataFolder),
    port: 0,
    bcryptCost: 4,
    adminPassword,
    ...changes,
    dataFolder,
  }
  const server = await startServer(config, log, { clock })
  return {
    ...server,
    dataFolder,
    errors,
    logged,
    logIn: (username, role) => logIn(server, username, role),
    async close() {
      await server.close()
      if (changes.dataFolder) return
      await removeFolder(dataFolder)
      await removeBackend(dataFolder)
    },
  }
}

const adminPassword = 'admin-password'

async function logIn(server: { url: string }, username: string, role = 'user'): Promise<string> {
  const admin = role === 'admin'
  const password = admin ? adminPassword : 'correct horse'
  const answer = await new Caller(server, '').post(`/auth/${admin ? 'login' : 'signup'}`, { username, password, role })
  if (answer.status >= 300) throw new Error(`login of ${role}:${username}: ${answer.status} ${answer.body}`)
  return answer.json.token
}

/** Three servers behind a proxy, in place of the one that a test asks for. */
async function startTestFleet(
  changes: Partial<ServerConfig>,
  dataFolder: string,
  clock: Clock | undefined,
): Promise<TestServer> {
  if (clock) throw new Error('The servers of a fleet have the clock of the system.')
  if (changes.dataFolder) throw new Error('A fleet cannot be started again.')
  const fleet = await startFleet(changes, dataFolder, adminPassword)
  const lines = (isError: boolean) => fleet.log.filter(({ level }) => (level === 'error') === isError)
  return {
    url: fleet.url,
    port: Number(new URL(fleet.url).port),
    redirectUrl: null,
    firstAdminPassword: null,
    renewTls() {},
    dataFolder,
    get errors() {
      return lines(true).map((line) => JSON.stringify(line))
    },
    get logged() {
      return lines(false).map(({ message, ...details }) => ({ message, details }))
    },
    logIn: (username, role) => logIn(fleet, username, role),
    async close() {
      try {
        await fleet.close()
      } finally {
        await removeFolder(dataFolder)
        await removeBackend(dataFolder)
      }
    },
  }
}
