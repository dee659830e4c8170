import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
let slowServer: TestServer
beforeAll(async () => {
  server = await startTestServer()
  slowServer = await startTestServer({ rateLimitPerAccount: 512 * 1024 })
})
afterAll(() => Promise.all([server.close(), slowServer.close()]))

/** The files that a user sees. */
async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith('.'))
}

describe('filejobs export', () => {
  it.each([0, 1000, 9 * 1024 ** 2 + 1, 40 * 1024 ** 2 + 1])(
    'writes a file of %d bytes completely under the last part of its name, and no other file',
    async (size) => {
      const { client, put } = await makeAccount(server)
      const content = randomBytes(size)
      const { sha256 } = await put('x/a.bin', content)
      const { code, stdout, stderr } = await client.run(['export', 'x/a.bin', '--json'])
      expect([code, stderr]).toEqual([0, ''])
      expect(JSON.parse(stdout)).toEqual({ name: 'x/a.bin', path: 'a.bin', size: content.length, sha256 })
      expect((await readFile(`${client.home}/a.bin`)).equals(content)).toBe(true)
      expect(await filesIn(client.home)).toEqual(['a.bin'])
    },
  )

  it('to stdout writes the file alone', async () => {
    const { client, put } = await makeAccount(server)
    await put('a.txt', 'hello')
    await put('b.txt', ' there')
    expect(await client.run(['export', 'a.txt', 'b.txt', '-o', '-'])).toEqual({
      code: 0,
      stdout: 'hello there',
      stderr: '',
    })
  })

  it('exports a whole folder', async () => {
    const { client, put } = await makeAccount(server)
    await put('photos/a.jpg', 'a')
    await put('photos/2024/b.jpg', '')
    await put('photos2/c.jpg', 'c')
    const { code, stdout } = await client.runHere(['export', 'photos/', '-o', 'backup/'])
    expect([code, stdout]).toEqual([0, 'Exported photos/ to backup/photos (2 files, 1 B): 2 new\n'])
    expect(await readFile(`${client.home}/backup/photos/a.jpg`, 'utf8')).toBe('a')
    expect(await readFile(`${client.home}/backup/photos/2024/b.jpg`, 'utf8')).toBe('')
    expect(await readdir(`${client.home}/backup`)).toEqual(['photos'])
  })

  it('does not replace a file without --force, and exits with 6', async () => {
    const { client, put } = await makeAccount(server)
    await put('a.txt', 'new')
    await writeFile(`${client.home}/a.txt`, 'old')
    const { code, stderr } = await client.runHere(['export', 'a.txt'])
    expect([code, stderr]).toEqual([6, expect.stringMatching(/a\.txt exists already: use --force/)])
    expect(await readFile(`${client.home}/a.txt`, 'utf8')).toBe('old')
    expect((await client.runHere(['export', 'a.txt', '--force'])).code).toBe(0)
    expect(await readFile(`${client.home}/a.txt`, 'utf8')).toBe('new')
  })

  it('creates no job if its target exists', async () => {
    const { client, put, jobs } = await makeAccount(server)
    await put('a.txt', 'new')
    await writeFile(`${client.home}/a.txt`, 'old')
    expect((await client.runHere(['export', 'a.txt'])).code).toBe(6)
    expect((await jobs()).filter(({ kind }) => kind === 'export')).toEqual([])
  })

  it('exits with 4 for a missing file, and creates no file', async () => {
    const { client } = await makeAccount(server)
    expect((await client.runHere(['export', 'nothing.txt'])).code).toBe(4)
    expect((await client.runHere(['export', 'nothing/'])).code).toBe(4)
    expect(await filesIn(client.home)).toEqual([])
  })

  it('exits with 7 on a full disk', async () => {
    const { client, put } = await makeAccount(server)
    await put('a.bin', randomBytes(3 * 1024 ** 2))
    const { code, stderr } = await client.runHere(['export', 'a.bin', '-o', '/dev/full'])
    const words = 'No space left on this machine for /dev/full: free some space, or write elsewhere with -o.'
    expect([code, stderr]).toEqual([7, `Error: ${words}\n`])
  })

  it('exits with 141 when its reader closes the pipe', async () => {
    const { client, put } = await makeAccount(server)
    await put('a.bin', randomBytes(5 * 1024 ** 2))
    const running = client.start(['export', 'a.bin', '-o', '-'])
    running.child.stdout?.once('data', () => running.child.stdout?.destroy())
    expect(await running.ended()).toBe(141)
  })

  it('writes into an existing folder, and does not replace a folder', async () => {
    const { client, put } = await makeAccount(server)
    await put('a.txt', 'a')
    await mkdir(`${client.home}/there`)
    expect((await client.runHere(['export', 'a.txt', '-o', 'there'])).stdout).toBe(
      'Exported a.txt to there/a.txt (1 B)\n',
    )
    await mkdir(`${client.home}/a.txt`)
    expect((await client.runHere(['export', 'a.txt', '--force'])).code).toBe(6)
  })
})

describe('a stopped export', () => {
  const content = randomBytes(6 * 1024 ** 2)

  it('exits with 9, names who stopped it and leaves no file', async () => {
    const { client, place, fetch, untilJob } = await makeAccount(slowServer)
    await place('a.bin', content)
    const running = client.start(['export', 'a.bin'])
    const { id } = await untilJob('export', 'running')
    expect((await fetch(`/jobs/${id}/stop`, { method: 'POST' })).status).toBe(200)
    expect(await running.ended()).toBe(9)
    expect(running.stderr).toMatch(/^Error: The export of a\.bin was stopped by user:user\d+\.\n$/)
    expect(await filesIn(client.home)).toEqual([])
  })

  it('by Ctrl-C prints the receipt, exits with 130 and leaves no file', async () => {
    const { client, place, untilJob } = await makeAccount(slowServer)
    await place('a.bin', content)
    const running = client.start(['export', 'a.bin', '--json'])
    await untilJob('export', 'running')
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(JSON.parse(running.stdout)).toMatchObject({ job: { kind: 'export', file: 'a.bin', state: 'stopped' } })
    expect(await filesIn(client.home)).toEqual([])
  })

  it('to stdout prints the receipt to stderr', async () => {
    const { client, place, untilJob } = await makeAccount(slowServer)
    await place('a.txt', 'x'.repeat(6 * 1024 ** 2))
    const running = client.start(['export', 'a.txt', '-o', '-'])
    await untilJob('export', 'running')
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(running.stdout).toMatch(/^x*$/)
    expect(running.stderr).toMatch(/stopped/i)
  })
})
