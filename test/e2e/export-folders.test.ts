import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { shareServer } from '../helpers/shared-server.js'
import { canMount, mountSmallDisk } from '../helpers/small-disk.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const large = randomBytes(9 * 1024 ** 2)

async function filledAccount() {
  const account = await makeAccount(shared.server)
  await account.put('photos/a', 'a')
  await account.put('photos/b/Übung', 'b')
  await account.put('photos/b/large', large)
  await account.put('other', 'x')
  const exports = async () => (await account.jobs()).filter(({ kind }) => kind === 'export')
  return { ...account, exports }
}

describe('filejobs export of a folder', () => {
  it('is one job, keeps times, and fetches nothing again that is here', async () => {
    const { client, exports, files } = await filledAccount()
    const first = await client.runHere(['export', 'photos/'])
    expect(first).toEqual({ code: 0, stdout: 'Exported photos/ to photos (3 files, 9.0 MiB): 3 new\n', stderr: '' })
    expect(await readFile(`${client.home}/photos/b/Übung`, 'utf8')).toBe('b')
    expect((await readFile(`${client.home}/photos/b/large`)).equals(large)).toBe(true)
    const [record] = (await files()).filter(({ name }) => name === 'photos/a')
    expect((await stat(`${client.home}/photos/a`)).mtime.toISOString()).toBe(record!.uploadedAt)
    expect((await readdir(`${client.home}/photos`, { recursive: true })).sort()).toEqual([
      'a',
      'b',
      'b/large',
      'b/Übung',
    ])
    await rm(`${client.home}/photos/a`)
    expect((await client.runHere(['export', 'photos/'])).stdout).toMatch(/1 new, 2 unchanged\n$/)
    expect((await client.runHere(['export', 'photos/'])).stdout).toMatch(/: 3 unchanged\n$/)
    expect(await exports()).toHaveLength(2)
  })

  it('keeps files that differ unless --force is given', async () => {
    const { client } = await filledAccount()
    await mkdir(`${client.home}/photos`)
    await writeFile(`${client.home}/photos/a`, 'mine')
    const { code, stdout, stderr } = await client.runHere(['export', 'photos/', '--exclude', 'large'])
    expect([code, stdout]).toEqual([6, 'Exported photos/ to photos (1 file, 1 B): 1 new, 1 failed\n'])
    expect(stderr).toMatch(/^Error: photos\/a: A different file of this name exists: use --force/)
    expect(await readFile(`${client.home}/photos/a`, 'utf8')).toBe('mine')
    await client.runHere(['export', 'photos/', '--force'])
    expect(await readFile(`${client.home}/photos/a`, 'utf8')).toBe('a')
  })

  it('by Ctrl-C stops its job, and the same command fetches the rest', async () => {
    const { client, exports } = await filledAccount()
    const run = client.start(['export', 'photos/', '--limit-rate', '512K', '--json'])
    await eventually('the small ones are here', async () =>
      readFile(`${client.home}/photos/b/Übung`).then(
        () => true,
        () => false,
      ),
    )
    run.child.kill('SIGINT')
    expect(await run.ended()).toBe(130)
    expect(await exports()).toMatchObject([{ state: 'stopped', file: 'photos/' }])
    expect((await readdir(`${client.home}/photos/b`)).filter((name) => name !== 'Übung')).toEqual([])
    expect((await client.runHere(['export', 'photos/'])).stdout).toMatch(/1 new, 2 unchanged\n$/)
  })

  it('over a network that is gone exits with 5, and the same command resumes the large file', async () => {
    const { client, token } = await filledAccount()
    const proxy = await openCuttingProxy(shared.server.url)
    const env = { FILEJOBS_SERVER: proxy.url, FILEJOBS_TOKEN: token }
    const run = client.start(['export', 'photos/', '--limit-rate', '1M', '--retries', '0'], { env })
    const part = `${client.home}/photos/b/large.part`
    const isHere = async (path: string) => (await stat(path).catch(() => undefined))?.size
    for (const path of [part, `${client.home}/photos/a`, `${client.home}/photos/b/Übung`]) {
      await eventually(`${path} is here`, () => isHere(path))
    }
    proxy.goDown()
    expect(await run.ended()).toBe(5)
    expect(run.stderr).toMatch(/Run the same command again to resume/)
    await proxy.goUp()
    const again = await client.run(['export', 'photos/', '--wait=60'], { env })
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/1 new, 2 unchanged\n$/)])
    expect(again.stderr).toMatch(/Going on with photos\/b\/large/)
    expect((await readFile(`${client.home}/photos/b/large`)).equals(large)).toBe(true)
  })

  it.skipIf(!canMount)('to a full disk exits with 7, and stops its job', async () => {
    const { client, exports } = await filledAccount()
    const disk = await mountSmallDisk()
    await writeFile(`${disk}/ballast`, Buffer.alloc(15 * 1024 ** 2))
    const { code, stderr } = await client.runHere(['export', 'photos/', '-o', `${disk}/`])
    expect([code, stderr]).toEqual([7, expect.stringMatching(/No space left on this machine for .*large/)])
    expect(await exports()).toMatchObject([{ state: 'stopped' }])
  })

  it('of a server that lies about names writes nothing outside of its folder', async () => {
    const names = ['p/../../outside', 'p//etc/passwd', 'p/./x', 'p/a\\b', 'p/line\nbreak']
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/files')) {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.end(names.map((name) => `${JSON.stringify({ name, size: 1, sha256: null })}\n`).join(''))
      } else response.writeHead(404).end('{}')
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const client = await openClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'token')
    await mkdir(`${client.home}/in`)
    const { code, stdout, stderr } = await client.runHere(['export', 'p/'], { cwd: `${client.home}/in` })
    expect([code, stdout]).toEqual([6, 'Exported p/ to p (0 files, 0 B): 5 failed\n'])
    expect(stderr.match(/The name is not valid on this machine/g)).toHaveLength(5)
    expect(await readdir(`${client.home}/in`, { recursive: true })).toEqual([])
  })
})
