import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { eventually } from '../../helpers/eventually.js'
import { freePort } from '../../helpers/ports.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { removeFolder } from '../../helpers/temporary-folder.js'

export interface PostgresServer {
  url: string
  /** Ends it as a crash does: no client is told, and the next start recovers. */
  kill(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** Where `initdb` and `postgres` are; Debian keeps them out of the path. Undefined if they are missing. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const found = versions.map((version) => join(debian, version, 'bin')).find((path) => existsSync(join(path, 'initdb')))
  return found ?? (hasProgram('initdb') && hasProgram('postgres') ? '' : undefined)
}

/** A server with an empty data folder of its own, that trusts every local connection and syncs nothing. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'filejobs-postgres-'))
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? idsOf('postgres') : null
  if (user) await chown(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const options = ['--no-sync', '--auth=trust', '--username=filejobs', '--encoding=UTF8', '--no-locale']
  execFileSync(join(programs, 'initdb'), ['-D', data, ...options], { ...user, cwd: folder, stdio: 'pipe' })
  const port = await freePort()
  const url = `postgres://filejobs@127.0.0.1:${port}/postgres`
  let running: ChildProcess | undefined

  async function start(): Promise<void> {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=200']
    const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
    running = spawn('sh', ['-c', untilEndOfInput, 'sh', join(programs, 'postgres'), ...args], {
      ...user,
      cwd: folder,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await eventually('PostgreSQL answers', () => answers(url))
  }

  async function kill(): Promise<void> {
    if (!running) return
    const exited = once(running, 'exit')
    running.stdin!.end()
    await exited
    running = undefined
  }

  await start()
  return {
    url,
    start,
    kill,
    async close() {
      await kill()
      await removeFolder(folder)
    },
  }
}

/** So that it ends with the tests, also if they are killed. */
const untilEndOfInput = '"$@" & server=$!; cat; kill -QUIT $server; wait $server'

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 5 })
  try {
    await sql`select 1`
    return true
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 0 })
  }
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
