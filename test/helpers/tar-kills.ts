import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'vitest'
import { deferred } from '../../dist/server/concurrency/deferred.js'
import { answerOf, Caller } from './calls.js'
import { eventually } from './eventually.js'
import { type ServeProcess, startServe } from './serve.js'
import { partialNames } from './stored-state.js'
import { type TarPart, tarOf } from './tars.js'
import { temporaryFolder } from './temporary-folder.js'

/** How many files each version of the folder has. */
const filesPerVersion = 150

/**
 * Kills a server so many times while two accounts send tars that replace the versions of a folder: the files of `each` are
 * published one by one, those of `together` in one step. After each kill, the published files must match the promise.
 */
export async function killDuringTars(rounds: number): Promise<{ versions: Set<number> }> {
  const dataFolder = join(await temporaryFolder(), 'data')
  const versions = new Set<number>()
  let acknowledged = new Map<string, Set<string>>()
  for (let round = 0; ; round++) {
    const server = await startServe({ dataFolder })
    const [each, together] = [await logIn(server, 'each'), await logIn(server, 'together')]
    await expectWhole(each, acknowledged)
    const version = await expectOneVersion(together)
    if (version !== undefined) versions.add(version)
    await eventually('nothing is left in partial/', async () => (await partialNames(dataFolder)).length === 0)
    if (round === rounds) return { versions }
    acknowledged = new Map()
    const replaced = deferred()
    const sent = [
      sendVersions(each, round, '', acknowledged, () => {}),
      sendVersions(together, round, modes[round % 2]!, new Map(), replaced.resolve),
    ]
    // Some kills hit the bytes, some a batch, some the journal and the renames; every third comes after a whole version, however slow the machine is.
    if (round % 3 === 0) await replaced.promise
    await new Promise((resolve) => setTimeout(resolve, 100 + ((round * 137) % 1300)))
    server.child.kill('SIGKILL')
    await Promise.all(sent)
    await server.ended()
  }
}

const modes = ['&publish=together', '&publish=together&replace=true']

async function logIn(server: ServeProcess, username: string): Promise<Caller> {
  const body = { username, password: 'correct horse' }
  const { json } = await new Caller(server, '').call('/auth/signup', { method: 'POST', body })
  return new Caller(server, json.token)
}

/** Sends version after version until the server is gone; notes the acknowledged digests of each name, and reports each answered version. */
async function sendVersions(
  caller: Caller,
  round: number,
  query: string,
  acknowledged: Map<string, Set<string>>,
  onAnswered: () => void,
): Promise<void> {
  for (let version = round * 1000; ; version++) {
    const request = caller.open(`/files/in/?extract=tar${query}`, {
      method: 'PUT',
      headers: { Accept: 'application/x-ndjson' },
    })
    const answer = answerOf(request)
    let text = ''
    request.on('response', (response) =>
      response.on('data', (chunk) => {
        text += chunk
      }),
    )
    request.end(tarOf(versionOf(version)))
    const isAnswered = await answer.then(
      () => true,
      () => false,
    )
    for (const line of text.split('\n').slice(0, -1)) {
      const { name, sha256 } = JSON.parse(line)
      if (name) acknowledged.set(name, (acknowledged.get(name) ?? new Set()).add(sha256))
    }
    if (!isAnswered) return
    onAnswered()
  }
}

/** All files of a version have the same content but for the large one. */
function versionOf(version: number): TarPart[] {
  const small = Array.from({ length: filesPerVersion }, (_, index) => ({
    name: `d${index % 5}/f${index}`,
    content: contentOf(version),
  }))
  return [...small, { name: 'large', content: contentOf(version).padEnd(200_000, '.') }]
}

function contentOf(version: number): string {
  return `version ${version}`
}

/** Each file has a digest that its bytes have, and files whose version was acknowledged are there. */
async function expectWhole(caller: Caller, acknowledged: Map<string, Set<string>>): Promise<void> {
  const { files } = (await caller.call('/files?limit=1000')).json
  const names = new Set(files.map(({ name }: { name: string }) => name))
  for (const name of acknowledged.keys()) expect(names).toContain(name)
  for (const { name, sha256 } of files.filter((_: unknown, index: number) => index % 10 === 0 || index > 145)) {
    const { body } = await caller.call(`/files/${name}`)
    expect({ name, sha256: createHash('sha256').update(body).digest('hex') }).toEqual({ name, sha256 })
    expect(body.toString()).toMatch(/^version \d+\.*$/)
  }
}

/** All files are of one version, or there are none. */
async function expectOneVersion(caller: Caller): Promise<number | undefined> {
  const { files } = (await caller.call('/files?limit=1000')).json
  if (files.length === 0) return undefined
  expect(files).toHaveLength(filesPerVersion + 1)
  const large = (await caller.call('/files/in/large')).body.toString()
  const version = Number(/^version (\d+)\.*$/.exec(large)![1])
  const expected = createHash('sha256').update(contentOf(version)).digest('hex')
  const small = files.filter(({ name }: { name: string }) => name !== 'in/large')
  expect(new Set(small.map(({ sha256 }: { sha256: string }) => sha256))).toEqual(new Set([expected]))
  expect((await caller.call('/files/in/d0/f0')).body.toString()).toBe(contentOf(version))
  return version
}
