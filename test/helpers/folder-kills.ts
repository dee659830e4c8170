import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { Caller } from './calls.js'
import { eventually } from './eventually.js'
import { type Client, openClient, type Running } from './program.js'
import { type ServeProcess, startServe } from './serve.js'
import { partialNames } from './stored-state.js'

export interface Kills {
  rounds: number
  /** Whether the server is killed too, at the same time. */
  withServer: boolean
}

/** More than two batches of small files, and some that are sent beside them. */
const names = [
  ...Array.from({ length: 270 }, (_, at) => `d${at % 3}/f${at}`),
  ...Array.from({ length: 4 }, (_, at) => `large${at}`),
]

/**
 * Kills clients while they upload one version after the other of a folder, each file by itself or all together. After each
 * kill, what the client has told must be there, and no file may be anything but a whole version. In the end a run completes.
 */
export async function killDuringUploads({ rounds, withServer, isTogether }: Kills & { isTogether: boolean }) {
  const place = await start()
  const told = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    await writeVersion(place.client.home, round)
    const args = ['upload', 'p', '--json', '--wait=60', '--retries', '0', ...(isTogether ? modes[round % 2]! : [])]
    const run = await killAfter(place, place.client.start(args), round, withServer)
    // Of a folder that is published together, a line alone says nothing.
    if (!isTogether) for (const name of toldBy(run)) told.set(name, round)
    else if (summaryOf(run)?.failed === 0) for (const name of names) told.set(`p/${name}`, round)
    await expectVersions(place, round, told, isTogether)
  }
  const { code, stderr } = await place.client.run(['upload', 'p', '--wait=60'])
  expect([code, stderr.replace(/.*: waiting …\n/, '')]).toEqual([0, ''])
  const last = new Map(names.map((name) => [`p/${name}`, rounds - 1]))
  await expectVersions(place, rounds - 1, last, isTogether)
  expect(await place.caller.names()).toHaveLength(names.length)
  const { dataFolder } = place.server
  await eventually('nothing is left in partial/', async () => (await partialNames(dataFolder)).length === 0)
}

/** The same for exports, which are whole files here. Nothing else is left by the run that completes. */
export async function killDuringExports({ rounds, withServer }: Kills): Promise<void> {
  const place = await start()
  await writeVersion(place.client.home, 0)
  expect((await place.client.run(['upload', 'p'])).code).toBe(0)
  const folder = join(place.client.home, 'out/p')
  for (let round = 0; round < rounds; round++) {
    const run = place.client.start(['export', 'p/', '-o', 'out/', '--json', '--wait=60', '--retries', '0'])
    const told = toldBy(await killAfter(place, run, round, withServer))
    const here = (await filesBelow(folder)).filter((name) => !name.endsWith('.part'))
    for (const name of told) expect(here).toContain(name.slice('p/'.length))
    for (const name of here) expect(await readFile(join(folder, name), 'utf8'), name).toBe(contentOf(name, 0))
    if (here.length === names.length) await rm(folder, { recursive: true })
  }
  const { code, stderr } = await place.client.run(['export', 'p/', '-o', 'out/', '--wait=60'])
  expect([code, stderr.replace(/^(.*: waiting …|Going on with .*)\n/gm, '')]).toEqual([0, ''])
  expect((await filesBelow(folder)).sort()).toEqual([...names].sort())
}

const modes = [['--together'], ['--together', '--replace']]

interface Place {
  server: ServeProcess
  client: Client
  caller: Caller
  token: string
}

/** What a killed client leaves incomplete expires while the next run is under way, not after a day. */
const shortLived = ['--keep-partial', '2s']

async function start(): Promise<Place> {
  const server = await startServe({ args: shortLived })
  const { json } = await new Caller(server, '').post('/auth/signup', { username: 'ann', password: 'correct horse' })
  return { server, token: json.token, ...(await clientOf(server, json.token)) }
}

async function clientOf(server: ServeProcess, token: string) {
  return { client: await openClient(server.url, token), caller: new Caller(server, token) }
}

/** Kills it after it has told a number of files, or when its job has begun, or a little later. */
async function killAfter(place: Place, run: Running, round: number, withServer: boolean): Promise<Running> {
  const lines = [0, 1, 129, 200, 258][round % 5]!
  const jobs = async () => (await place.caller.call('/jobs?limit=1')).json.jobs[0]?.id
  const before = lines === 0 ? await jobs() : undefined
  const reached = () => (lines === 0 ? jobs().then((id) => id !== before) : run.stdout.split('\n').length > lines)
  const ended = run.ended().then(() => true)
  await Promise.race([ended, eventually(`${lines} lines`, reached, 100_000)])
  await new Promise((resolve) => setTimeout(resolve, (round * 37) % 90))
  run.child.kill('SIGKILL')
  if (withServer) {
    place.server.child.kill('SIGKILL')
    await place.server.ended()
    // At the same address: another one would be another server, whose files do not continue those of this one.
    const { dataFolder, url } = place.server
    place.server = await startServe({ dataFolder, args: ['--port', new URL(url).port, ...shortLived] })
    const { home } = place.client
    Object.assign(place, await clientOf(place.server, place.token))
    // The same home: its cache and states are those of the run that was killed.
    place.client = reopened(place.client, home)
  }
  await run.ended()
  return run
}

function reopened(client: Client, home: string): Client {
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, '.config') }
  const options = { env, cwd: home }
  return {
    ...client,
    home,
    start: (args, more) => client.start(args, { ...options, ...more }),
    run: (args, more) => client.run(args, { ...options, ...more }),
  }
}

/** The files that it has told to be on the other side. */
function toldBy(run: Running): string[] {
  return linesOf(run).flatMap(({ name, status }) => (status === 'new' || status === 'replaced' ? [name] : []))
}

function summaryOf(run: Running): { failed: number } | undefined {
  return linesOf(run).find(({ summary }) => summary)?.summary
}

// biome-ignore lint/suspicious/noExplicitAny: the members are those of the documentation
function linesOf(run: Running): any[] {
  const lines = run.stdout.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line))
}

async function writeVersion(home: string, version: number): Promise<void> {
  for (const name of names) {
    const path = join(home, 'p', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, contentOf(name, version))
  }
}

function contentOf(name: string, version: number): string {
  return `${name} ${version} `.padEnd(name.startsWith('large') ? 200_000 : 1000, '.')
}

const digestOf = (name: string, version: number) => createHash('sha256').update(contentOf(name, version)).digest('hex')

/** Each file is one of the versions, by digest and by its bytes, and not older than the one that was told. */
async function expectVersions(place: Place, newest: number, told: Map<string, number>, isTogether: boolean) {
  const { files } = (await place.caller.call('/files?limit=1000')).json
  const found = new Map<string, number>()
  for (const { name, sha256 } of files as { name: string; sha256: string }[]) {
    const own = name.slice('p/'.length)
    const version = Array.from({ length: newest + 1 }, (_, at) => newest - at).find(
      (each) => digestOf(own, each) === sha256,
    )
    expect(version, name).toBeDefined()
    found.set(name, version!)
  }
  for (const [name, version] of told) expect(found.get(name), name).toBeGreaterThanOrEqual(version)
  if (isTogether) expect(new Set(found.values()).size).toBeLessThanOrEqual(1)
  for (const [name] of [...found].filter((_, at) => at % 40 === newest % 40)) {
    const own = name.slice('p/'.length)
    const { body } = await place.caller.call(`/files/${name}`)
    const [, version] = /^\S+ (\d+) /.exec(body.toString()) ?? []
    expect(body.toString()).toBe(contentOf(own, Number(version)))
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
