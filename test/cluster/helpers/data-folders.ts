import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { type Client, openClient, type Running } from '../../helpers/program.js'
import { startTestServer, type TestServer } from '../../helpers/server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { type ClusterPlace, placeVariables, type ServerOptions } from './servers.js'

/** The data folder of a server that was closed after `fill`. */
export async function closedDataFolder(fill: (server: TestServer) => Promise<unknown>): Promise<string> {
  const dataFolder = await temporaryFolder()
  const server = await startTestServer({ dataFolder })
  await fill(server)
  await server.close()
  return dataFolder
}

/** A server's account that has some files: small and large ones, an empty one, one that was added by hand. */
export async function fillAccount(server: TestServer, username: string): Promise<Caller> {
  const caller = new Caller(server, await server.logIn(username))
  await caller.put('sub/small.txt', 'small', { 'Content-Type': 'text/x-own; charset=utf-8' })
  await caller.put('empty', '')
  await caller.put('sub/large.bin', Buffer.alloc(9 * 1024 ** 2 + 5, username))
  await caller.put(encodeURI('z/ü 𝄞.bin'), Buffer.alloc(2 * 1024 ** 2, 'u'))
  const folder = join(server.dataFolder, 'uploads/user', username)
  await mkdir(join(folder, 'by hand'))
  await writeFile(join(folder, 'by hand/file.csv'), 'a,b\n')
  await utimes(join(folder, 'by hand/file.csv'), 1_700_000_000.123, 1_700_000_000.123)
  return caller
}

/** The path, size, times and digest of everything in a folder. */
export function contentsOf(folder: string): Record<string, unknown> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name)
      const stats = statSync(path)
      const sha256 = stats.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : null
      return [name, [stats.size, stats.isFile() && stats.ctimeMs, sha256]]
    }),
  )
}

export interface Migration {
  client: Client
  args: string[]
  env: Record<string, string>
  start(): Running
  /** Runs it to its end. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at the members that it expects
  run(...args: string[]): Promise<{ code: number; stderr: string; report: any }>
}

/** `filejobs migrate` of a data folder to a place. */
export async function openMigration(
  dataFolder: string,
  place: ClusterPlace,
  addresses: ServerOptions = {},
): Promise<Migration> {
  const client = await openClient()
  const args = ['migrate', '--data', dataFolder, '--json']
  const env = placeVariables(place, addresses)
  return {
    client,
    args,
    env,
    start: () => client.start(args, { env }),
    async run(...more) {
      const { code, stdout, stderr } = await client.run([...args, ...more], { env })
      return { code, stderr, report: stdout === '' ? undefined : JSON.parse(stdout) }
    },
  }
}

/** Every file has its bytes, every object is a row, and every row of an object is that of a file, an import, an unfinished upload or garbage. */
export async function expectWhole(place: ClusterPlace): Promise<void> {
  const client = await openClient()
  const { code, stdout } = await client.run(['doctor', '--json', '--verify'], { env: placeVariables(place) })
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, damaged: [], orphans: [] })
  const sql = place.database.connect()
  const rows = await sql<{ state: string; expected: string }[]>`
    select state, case
      when content in (select content from files union all select content from imports) then 'live'
      when content in (select content from partials) then 'stored'
      else 'garbage' end as expected
    from objects`
  for (const { state, expected } of rows) expect(state).toBe(expected)
}
