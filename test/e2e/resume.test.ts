import { createHash, randomBytes } from 'node:crypto'
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { mostPartialBytes, partialNames } from '../helpers/stored-state.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const MiB = 1024 ** 2
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')

let server: TestServer
let slowServer: TestServer
beforeAll(async () => {
  server = await startTestServer()
  slowServer = await startTestServer({ rateLimitPerAccount: 3 * MiB })
})
afterAll(() => Promise.all([server.close(), slowServer.close()]))

/** An account whose client reaches the server by a way that breaks. */
async function behindProxy(behind: TestServer, cuts: number[] = []) {
  const account = await makeAccount(behind)
  const proxy = await openCuttingProxy(behind.url, cuts)
  return { ...account, proxy, client: await openClient(proxy.url, account.token) }
}

/** The stored state of unfinished uploads of the client. */
async function remembered({ home }: { home: string }): Promise<string[]> {
  return readdir(`${home}/.local/state/filejobs/uploads`).catch(() => [])
}

describe('an upload over an unreliable connection', () => {
  it('resumes where it broke, and completes', async () => {
    const { client, proxy, files, jobs } = await behindProxy(server, [5 * MiB, 100, 7 * MiB, 10 * MiB, 1])
    const content = randomBytes(40 * MiB)
    await writeFile(`${client.home}/large.bin`, content)
    const { code, stdout, stderr } = await client.run(['upload', 'large.bin', '--json'])
    expect([code, proxy.cuts], stderr).toEqual([0, 5])
    expect(JSON.parse(stdout)).toMatchObject({ name: 'large.bin', sha256: sha256(content) })
    expect(stderr).toMatch(/large\.bin: the connection broke; trying again\./)
    expect(await files()).toEqual([expect.objectContaining({ size: content.length, sha256: sha256(content) })])
    expect(await jobs()).toHaveLength(1)
  })

  it('resumes also from stdin, which cannot be read twice', async () => {
    const { client, proxy, files, jobs } = await behindProxy(server, [3 * MiB, 40 * MiB, 2 * MiB])
    const input = randomBytes(70 * MiB)
    const { code, stderr } = await client.run(['upload', '-', '--name', 'in.bin'], { input })
    expect([code, proxy.cuts], stderr).toEqual([0, 3])
    expect(await files()).toEqual([expect.objectContaining({ size: input.length, sha256: sha256(input) })])
    expect(await jobs()).toHaveLength(1)
  })

  it('repeats a small file, whose response may be lost', async () => {
    const { client, proxy, files } = await behindProxy(server, [1000, 3 * MiB])
    const content = randomBytes(4 * MiB)
    await writeFile(`${client.home}/small.bin`, content)
    expect((await client.run(['upload', 'small.bin'])).code).toBe(0)
    expect([proxy.cuts, (await files())[0]?.sha256]).toEqual([2, sha256(content)])
  })

  it('fails after the maximum number of attempts without progress, and says how to resume', async () => {
    const { client, files, jobs } = await behindProxy(server, [4 * MiB, 1, 1, 1])
    const content = randomBytes(20 * MiB)
    await writeFile(`${client.home}/large.bin`, content)
    const first = await client.run(['upload', 'large.bin', '--retries', '2'])
    expect([first.code, first.stdout]).toEqual([5, ''])
    expect(first.stderr).toMatch(/Run the same command again to resume\.\n$/)
    const second = await client.run(['upload', 'large.bin'])
    expect([second.code, second.stderr]).toEqual([
      0,
      expect.stringContaining('Going on with large.bin, which was begun'),
    ])
    expect((await files())[0]?.sha256).toBe(sha256(content))
    expect(await jobs()).toHaveLength(1)
    // The state of a finished upload is removed.
    expect(await remembered(client)).toEqual([])
  })

  it('starts over at once if the file has changed, and discards the earlier bytes', async () => {
    const { client, files, jobs } = await behindProxy(server, [12 * MiB, 1])
    await writeFile(`${client.home}/large.bin`, randomBytes(20 * MiB))
    expect((await client.run(['upload', 'large.bin', '--retries', '1'])).code).toBe(5)
    const changed = randomBytes(21 * MiB)
    await writeFile(`${client.home}/large.bin`, changed)
    expect((await client.run(['upload', 'large.bin'])).code).toBe(0)
    expect((await files())[0]?.sha256).toBe(sha256(changed))
    expect((await jobs()).map(({ state }) => state).sort()).toEqual(['done', 'stopped'])
    expect(await remembered(client)).toEqual([])
  })

  it('resumes after the server was killed and restarted', async () => {
    const first = await startServe({ args: ['--rate-limit-per-account', '4M'] })
    // A proxy to the server that runs; nothing listens on port 1.
    let url = first.url
    const way = await openCuttingProxy(() => url)
    const client = await openClient(way.url)
    await client.run(['signup', 'ann'], { env: { FILEJOBS_PASSWORD: 'correct horse' } })
    const content = randomBytes(20 * MiB)
    await writeFile(`${client.home}/large.bin`, content)
    const upload = client.start(['upload', 'large.bin', '--json'])
    await eventually('some of it is there', async () => (await mostPartialBytes(first.dataFolder)) > 6 * MiB)
    url = 'http://127.0.0.1:1'
    first.child.kill('SIGKILL')
    await first.ended()
    await upload.says(/trying again/)
    const second = await startServe({ dataFolder: first.dataFolder })
    url = second.url
    expect(await upload.ended(), upload.stderr).toBe(0)
    expect(JSON.parse(upload.stdout).sha256).toBe(sha256(content))
  })

  it('is never resumed after a stop', async () => {
    const { client, files, fetch, jobs, untilJob } = await behindProxy(slowServer)
    await writeFile(`${client.home}/large.bin`, randomBytes(30 * MiB))
    const upload = client.start(['upload', 'large.bin'])
    const { id } = await untilJob('upload', 'running')
    expect((await fetch(`/jobs/${id}/stop`, { method: 'POST' })).status).toBe(200)
    expect(await upload.ended()).toBe(9)
    expect(upload.stderr).toMatch(/^Error: The upload of large\.bin was stopped by user:user\d+\.\n$/)
    expect([await files(), (await jobs()).length]).toEqual([[], 1])
    expect(await remembered(client)).toEqual([])
  })

  it('is never resumed after a stop between two connections', async () => {
    const { client, proxy, fetch, jobs, untilJob } = await behindProxy(slowServer)
    await writeFile(`${client.home}/large.bin`, randomBytes(30 * MiB))
    const upload = client.start(['upload', 'large.bin'])
    const { id } = await untilJob('upload', 'running')
    proxy.cutAll()
    await eventually('it is stopped', async () => (await fetch(`/jobs/${id}/stop`, { method: 'POST' })).ok)
    expect(await upload.ended()).toBe(9)
    expect(await jobs()).toHaveLength(1)
  })

  it('is kept by Ctrl-C with --keep, and resumed by the same command', async () => {
    const { client, jobs, untilJob, liftLimit } = await makeAccount(server)
    const content = randomBytes(14 * MiB)
    await writeFile(`${client.home}/large.bin`, content)
    const upload = client.start(['upload', 'large.bin', '--keep', '--limit-rate', '1M'])
    await eventually('some has arrived', async () => (await untilJob('upload', 'running')).bytes >= MiB)
    upload.child.kill('SIGINT')
    expect(await upload.ended()).toBe(130)
    expect(upload.stderr).toMatch(/Left, and kept\. Run the same command again to resume/)
    await untilJob('upload', 'interrupted')
    const again = client.start(['upload', 'large.bin', '--json'])
    const { id } = await untilJob('upload', 'running')
    await liftLimit(id)
    expect(await again.ended(), again.stderr).toBe(0)
    expect(again.stderr).toBe(
      `Going on with large.bin, which was begun before.\nThis upload is limited to 1.0 MiB/s: "filejobs limit ${id} off" lifts it.\n`,
    )
    expect([JSON.parse(again.stdout).sha256, (await jobs()).length]).toEqual([sha256(content), 1])
  })

  it('resumes at the rate limit given to the later run', async () => {
    const { client, jobs, untilJob, liftLimit } = await makeAccount(server)
    await writeFile(`${client.home}/large.bin`, randomBytes(14 * MiB))
    const upload = client.start(['upload', 'large.bin', '--keep', '--limit-rate', '1M'])
    await eventually('some has arrived', async () => (await untilJob('upload', 'running')).bytes >= MiB)
    upload.child.kill('SIGINT')
    expect(await upload.ended()).toBe(130)
    await untilJob('upload', 'interrupted')
    const again = client.start(['upload', 'large.bin', '--limit-rate', '100K'])
    const { id, rateLimit } = await untilJob('upload', 'running')
    expect([rateLimit, (await jobs()).length]).toEqual([100 * 1024, 1])
    await liftLimit(id)
    expect(await again.ended(), again.stderr).toBe(0)
    expect(again.stderr).toBe('Going on with large.bin, which was begun before.\n')
  })

  it('is kept when its terminal is closed', async () => {
    const { client, jobs, untilJob, liftLimit } = await makeAccount(server)
    await writeFile(`${client.home}/large.bin`, randomBytes(10 * MiB))
    const upload = client.start(['upload', 'large.bin', '--limit-rate', '1M'])
    await eventually('it is remembered', async () => (await remembered(client)).length > 0)
    // One that leaves before its first byte keeps its slot for half a minute.
    await eventually('its bytes move', async () => (await jobs()).some(({ bytes }) => bytes > 0))
    upload.child.kill('SIGHUP')
    expect(await upload.ended()).toBe(129)
    await untilJob('upload', 'interrupted')
    const again = client.start(['upload', 'large.bin'])
    await liftLimit((await untilJob('upload', 'running')).id)
    expect(await again.ended(), again.stderr).toBe(0)
  })

  it.each([
    ['Ctrl-C', 'SIGINT', ['--keep'], 130],
    ['the end of its terminal', 'SIGHUP', [], 129],
  ] as const)('from stdin is stopped by %s, because it could not be resumed', async (_, signal, options, code) => {
    const { client, jobs, put } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'in.bin', ...options])
    upload.child.stdin?.write(randomBytes(MiB))
    await eventually('its bytes move', async () => (await jobs()).some(({ bytes }) => bytes > 0))
    upload.child.kill(signal)
    expect([await upload.ended(), upload.stdout]).toEqual([code, expect.stringContaining('nothing was published')])
    expect(upload.stderr).toMatch(signal === 'SIGINT' ? /This transfer cannot be kept/ : /^$/)
    const [job] = await jobs()
    expect(job?.state).toBe('stopped')
    expect((await partialNames(server.dataFolder)).filter((name) => name.startsWith(job!.id))).toEqual([])
    await put('in.bin', 'x')
  })

  it('from stdin leaves nothing when it fails', async () => {
    const { client, proxy, jobs, put } = await behindProxy(server, [3 * MiB])
    const upload = await client.run(['upload', '-', '--name', 'in.bin', '--retries', '0'], {
      input: randomBytes(5 * MiB),
    })
    expect([upload.code, proxy.cuts]).toEqual([5, 1])
    expect((await jobs())[0]?.state).toBe('stopped')
    await put('in.bin', 'x')
  })

  it('is kept also if the quota has no space for the rest', async () => {
    const first = await startTestServer({ dataFolder: `${await temporaryFolder()}/data` })
    const { dataFolder } = first
    let url = first.url
    const way = await openCuttingProxy(() => url)
    const token = await first.logIn('ann')
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const jobs = async () =>
      ((await (await fetch(`${url}/jobs`, { headers })).json()) as { jobs: { id: string; bytes: number }[] }).jobs
    const client = await openClient(way.url, token)
    const content = randomBytes(12 * MiB)
    await writeFile(`${client.home}/large.bin`, content)
    const upload = client.start(['upload', 'large.bin', '--keep', '--limit-rate', '200K'])
    await eventually('its bytes move', async () => (await jobs())[0]?.bytes)
    upload.child.kill('SIGINT')
    expect(await upload.ended()).toBe(130)
    await first.close()
    const full = await startTestServer({ dataFolder, quota: MiB })
    url = full.url
    expect((await client.run(['upload', 'large.bin'])).code).toBe(7)
    await full.close()
    const wide = await startTestServer({ dataFolder })
    onTestFinished(() => wide.close())
    url = wide.url
    const [kept] = await jobs()
    await fetch(`${url}/jobs/${kept!.id}`, { method: 'PATCH', headers, body: '{"rateLimit":null}' })
    const again = await client.run(['upload', 'large.bin', '--json'])
    expect([again.code, JSON.parse(again.stdout).sha256], again.stderr).toEqual([0, sha256(content)])
    expect([await remembered(client), (await jobs()).length]).toEqual([[], 1])
  })

  it('completes, and is stopped completely, also without a place for its resume state', async () => {
    const { client, put, files, jobs, untilJob } = await makeAccount(server)
    const content = randomBytes(10 * MiB)
    await writeFile(`${client.home}/large.bin`, content)
    // Where a file is, there can be no folder.
    const env = { XDG_STATE_HOME: `${client.home}/large.bin` }
    const sent = await client.run(['upload', 'large.bin'], { env })
    expect([sent.code, sent.stderr, (await files())[0]?.sha256]).toEqual([0, '', sha256(content)])
    await put('other.bin', content)
    const received = await client.run(['export', 'other.bin'], { env })
    expect([received.code, received.stderr]).toEqual([0, ''])
    const upload = client.start(['upload', 'large.bin', '--name', 'x', '--keep', '--limit-rate', '200K'], { env })
    const { id } = await untilJob('upload', 'running')
    upload.child.kill('SIGINT')
    expect(await upload.ended(), upload.stderr).toBe(130)
    expect((await jobs()).find((job) => job.id === id)?.state).toBe('stopped')
  })

  it('is not disturbed by the same command run in parallel', async () => {
    const { client, untilJob, liftLimit } = await makeAccount(server)
    await writeFile(`${client.home}/large.bin`, randomBytes(14 * MiB))
    const first = client.start(['upload', 'large.bin', '--limit-rate', '200K'])
    const { id } = await untilJob('upload', 'running')
    const second = await client.run(['upload', 'large.bin'])
    expect([second.code, second.stderr]).toEqual([6, expect.stringContaining('large.bin')])
    await liftLimit(id)
    expect(await first.ended(), first.stderr).toBe(0)
  })

  it('of a file that changes during the upload leaves nothing', async () => {
    const { client, files, jobs, untilJob, liftLimit } = await makeAccount(server)
    await writeFile(`${client.home}/log.txt`, randomBytes(12 * MiB))
    const upload = client.start(['upload', 'log.txt', '--limit-rate', '1M'])
    const { id } = await untilJob('upload', 'running')
    await appendFile(`${client.home}/log.txt`, 'more')
    await liftLimit(id)
    expect(await upload.ended()).toBe(1)
    expect(upload.stderr).toMatch(/^Error: log\.txt changed while it was read/)
    expect([await files(), (await jobs())[0]?.state]).toEqual([[], 'stopped'])
  })
})

describe('an export over an unreliable connection', () => {
  /** More than the buffers on its way hold, so that no cut comes too late. */
  const content = randomBytes(16 * MiB)

  /** Cuts the way once so much has been written. */
  async function cutAt(proxy: { cutAll(): void }, part: string, bytes: number) {
    await eventually(`${bytes} bytes are here`, async () => (await stat(part).catch(() => ({ size: 0 }))).size >= bytes)
    proxy.cutAll()
  }

  it('resumes where it broke, and completes', async () => {
    const { client, place, proxy } = await behindProxy(slowServer)
    await place('a.bin', content)
    const running = client.start(['export', 'a.bin'])
    await cutAt(proxy, `${client.home}/a.bin.part`, 2 * MiB)
    await cutAt(proxy, `${client.home}/a.bin.part`, 5 * MiB)
    expect(await running.ended(), running.stderr).toBe(0)
    expect((await readFile(`${client.home}/a.bin`)).equals(content)).toBe(true)
    expect((await readdir(client.home)).filter((name) => !name.startsWith('.'))).toEqual(['a.bin'])
  })

  it('resumes in a later run from the local partial file', async () => {
    const { client, place, proxy, jobs } = await behindProxy(server)
    await place('a.bin', content)
    const running = client.start(['export', 'a.bin', '--retries', '0', '--limit-rate', '3M'])
    await cutAt(proxy, `${client.home}/a.bin.part`, 3 * MiB)
    expect(await running.ended()).toBe(5)
    const again = await client.run(['export', 'a.bin'])
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('Going on with a.bin')])
    expect((await readFile(`${client.home}/a.bin`)).equals(content)).toBe(true)
    expect((await jobs())[0]?.bytes).toBeLessThan(14 * MiB)
  })

  it('starts over if the file has changed', async () => {
    const { client, put, proxy } = await behindProxy(server)
    await put('a.bin', content)
    const running = client.start(['export', 'a.bin', '--retries', '0', '--limit-rate', '2M'])
    await cutAt(proxy, `${client.home}/a.bin.part`, 2 * MiB)
    expect(await running.ended()).toBe(5)
    const changed = randomBytes(6 * MiB)
    await put('a.bin', changed)
    const again = await client.run(['export', 'a.bin'])
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('has changed on the server: starting over')])
    expect((await readFile(`${client.home}/a.bin`)).equals(changed)).toBe(true)
  })

  it('resumes also into a pipe', async () => {
    const { client, place, proxy, jobs } = await behindProxy(slowServer)
    await place('a.txt', 'x'.repeat(16 * MiB))
    const running = client.start(['export', 'a.txt', '-o', '-'])
    await eventually('some is here', () => running.stdout.length > 2 * MiB)
    proxy.cutAll()
    expect(await running.ended(), running.stderr).toBe(0)
    const exports = (await jobs()).filter(({ kind }) => kind === 'export')
    expect([running.stdout.length, exports.length]).toEqual([16 * MiB, 2])
  })

  it('leaves a partial file of unknown origin unchanged unless it may be replaced', async () => {
    const { client, put } = await makeAccount(server)
    await put('a.txt', 'whole')
    await writeFile(`${client.home}/a.txt.part`, 'something else, and longer')
    const refused = await client.run(['export', 'a.txt'])
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('a.txt.part is in the way')])
    expect(await readFile(`${client.home}/a.txt.part`, 'utf8')).toBe('something else, and longer')
    expect((await client.run(['export', 'a.txt', '--force'])).code).toBe(0)
    expect(await readFile(`${client.home}/a.txt`, 'utf8')).toBe('whole')
    expect(await readdir(client.home)).not.toContain('a.txt.part')
  })

  it('leaves the partial file of another export unchanged', async () => {
    const { client, place, put, proxy } = await behindProxy(server)
    await place('a.bin', content)
    await put('b.txt', 'another')
    const running = client.start(['export', 'a.bin', '-o', 'x', '--retries', '0', '--limit-rate', '3M'])
    await cutAt(proxy, `${client.home}/x.part`, 3 * MiB)
    expect(await running.ended()).toBe(5)
    expect((await client.run(['export', 'b.txt', '-o', 'x'])).code).toBe(6)
    expect((await client.run(['export', 'a.bin', '-o', 'x'])).stderr).toContain('Going on with a.bin')
    expect((await readFile(`${client.home}/x`)).equals(content)).toBe(true)
  })

  it('leaves the partial file of another run unchanged while that is running', async () => {
    const { client, place, untilJob, liftLimit } = await makeAccount(server)
    await place('a.bin', content)
    const running = client.start(['export', 'a.bin', '--limit-rate', '200K'])
    const { id } = await untilJob('export', 'running')
    await eventually(
      'the part is here',
      async () => (await stat(`${client.home}/a.bin.part`).catch(() => undefined)) && true,
    )
    const second = await client.run(['export', 'a.bin'])
    expect([second.code, second.stderr]).toEqual([
      6,
      expect.stringContaining('Another filejobs is exporting to the same'),
    ])
    // Of another file, by somebody with another home, whose program knows nothing of the first.
    const stranger = await makeAccount(server)
    await stranger.put('b.txt', 'another')
    const third = await stranger.client.run(['export', 'b.txt', '-o', `${client.home}/a.bin`])
    expect([third.code, third.stderr]).toEqual([6, expect.stringContaining('a.bin.part is in the way')])
    await liftLimit(id)
    expect(await running.ended(), running.stderr).toBe(0)
    expect((await readFile(`${client.home}/a.bin`)).equals(content)).toBe(true)
  })
})
