import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../dist/server/clock.js'
import { parseConfig, type ServerConfig } from '../../dist/server/config.js'
import type { Log } from '../../dist/server/log.js'
import { type RunningServer, startServer } from '../../dist/server/start.js'
import { backendOf, removeBackend } from './backend.js'
import { Caller } from './calls.js'
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
  const errors: string[] = []
  const logged: TestServer['logged'] = []
  const log: Log = {
    info: (message, details = {}) => logged.push({ message, details }),
    warn: (message, error) => logged.push({ message, details: { error: String(error) } }),
    error: (message, error) => errors.push(`${message}: ${error}`),
  }
  const config = {
    ...parseConfig({}, {}),
    cluster: await backendOf(dataFolder),
    port: 0,
    bcryptCost: 4,
    adminPassword: 'admin-password',
    ...changes,
    dataFolder,
  }
  const server = await startServer(config, log, { clock })
  return {
    ...server,
    dataFolder,
    errors,
    logged,
    async logIn(username, role = 'user') {
      const admin = role === 'admin'
      const password = admin ? 'admin-password' : 'correct horse'
      const answer = await new Caller(server, '').post(`/auth/${admin ? 'login' : 'signup'}`, {
        username,
        password,
        role,
      })
      if (answer.status >= 300) throw new Error(`login of ${role}:${username}: ${answer.status} ${answer.body}`)
      return answer.json.token
    },
    async close() {
      await server.close()
      if (changes.dataFolder) return
      await removeFolder(dataFolder)
      await removeBackend(dataFolder)
    },
  }
}
