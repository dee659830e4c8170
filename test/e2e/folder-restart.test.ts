import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'

const large = randomBytes(3 * 1024 ** 2)
const slow = ['--limit-rate', '1M', '--wait=60']
const patient = [...slow, '--retries', '60']
const isUnderWay = ({ bytes }: JobRecord) => bytes > 300_000

/** A folder `p` here, and a server behind an address that stays when it is killed and started again. */
async function begin() {
  let server = await startServe()
  const proxy = await openCuttingProxy(() => server.url)
  const { json } = await new Caller(server, '').post('/auth/signup', { username: 'ann', password: 'correct horse' })
  const client = await openClient(proxy.url, json.token)
  await mkdir(`${client.home}/p`)
  for (const name of ['a', 'b']) await writeFile(`${client.home}/p/${name}`, name)
  await writeFile(`${client.home}/p/large`, large)
  const caller = () => new Caller(server, json.token)
  return {
    client,
    caller,
    async kill() {
      server.child.kill('SIGKILL')
      await server.ended()
    },
    async startAgain() {
      server = await startServe({ dataFolder: server.dataFolder })
    },
    async expectAll() {
      for (const name of ['a', 'b']) expect((await caller().call(`/files/p/${name}`)).body.toString()).toBe(name)
      expect((await caller().call('/files/p/large')).body.equals(large)).toBe(true)
    },
  }
}

describe('a server that is killed and started again', () => {
  it.each([
    ['each file by itself', []],
    ['all together', ['--together']],
  ])('during an upload of a folder, %s, is used again by the same command', async (_, options) => {
    const { client, caller, kill, startAgain, expectAll } = await begin()
    const upload = client.start(['upload', 'p', ...patient, ...options])
    await caller().findJob('kind=upload', isUnderWay)
    await kill()
    await upload.says(/trying again/)
    await startAgain()
    expect(await upload.ended()).toBe(0)
    expect(upload.stdout).toBe('Uploaded p (3 files, 3.0 MiB): 3 new\n')
    await expectAll()
  })

  it('during an upload of a folder ends it with 5 without retries, and the next run resumes', async () => {
    const { client, caller, kill, startAgain, expectAll } = await begin()
    const upload = client.start(['upload', 'p', ...slow, '--retries', '0'])
    await caller().findJob('kind=upload', isUnderWay)
    await eventually('the small ones are there', async () => (await caller().names()).length === 2)
    await kill()
    expect(await upload.ended()).toBe(5)
    expect(upload.stderr).toMatch(/Run the same command again to resume\.\n$/)
    await startAgain()
    expect((await client.run(['upload', 'p', '--wait=60'])).stdout).toMatch(/: 1 new, 2 unchanged\n$/)
    await expectAll()
  })

  it.each([
    ['goes on by itself', patient, 0],
    ['ends with 5 without retries', [...slow, '--retries', '0'], 5],
  ])('during an export of a folder %s, and in the end everything is here', async (_, options, code) => {
    const { client, caller, kill, startAgain } = await begin()
    expect((await client.run(['upload', 'p'])).code).toBe(0)
    await rm(`${client.home}/p`, { recursive: true })
    const exporting = client.start(['export', 'p/', ...options])
    await caller().findJob('kind=export', isUnderWay)
    await kill()
    if (code === 0) {
      await exporting.says(/trying again/)
      await startAgain()
    }
    expect(await exporting.ended()).toBe(code)
    if (code !== 0) {
      await startAgain()
      expect((await client.run(['export', 'p/', '--wait=60'])).code).toBe(0)
    }
    for (const name of ['a', 'b']) expect(await readFile(`${client.home}/p/${name}`, 'utf8')).toBe(name)
    expect((await readFile(`${client.home}/p/large`)).equals(large)).toBe(true)
  })
})
