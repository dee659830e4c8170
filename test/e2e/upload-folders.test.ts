import { randomBytes } from 'node:crypto'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { onlyLocal } from '../helpers/only-local.js'
import { openClient } from '../helpers/program.js'
import { shareServer } from '../helpers/shared-server.js'
import { canMount, startOnSmallDisk } from '../helpers/small-disk.js'

const shared = shareServer({ shutdownGraceMs: 0 })

async function write(home: string, files: Record<string, string | Buffer>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(`${home}/${name}`), { recursive: true })
    await writeFile(`${home}/${name}`, content)
  }
}

/** The lines of `--json`. */
function lines(stdout: string) {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const large = randomBytes(9 * 1024 ** 2)
const middle = randomBytes(200_000)

describe('filejobs upload of a folder', () => {
  it('is one job, whatever the size of its files, and no job if everything is unchanged', async () => {
    const { client, files, jobs } = await makeAccount(shared.server)
    await write(client.home, {
      'photos/a': 'a',
      'photos/b/empty': '',
      'photos/b/large': large,
      'photos/middle': middle,
    })
    expect(await client.runHere(['upload', 'photos'])).toEqual({
      code: 0,
      stdout: 'Uploaded photos (4 files, 9.2 MiB): 4 new\n',
      stderr: '',
    })
    expect((await files()).map(({ name, size }) => [name, size])).toEqual([
      ['photos/a', 1],
      ['photos/b/empty', 0],
      ['photos/b/large', large.length],
      ['photos/middle', middle.length],
    ])
    const [job, ...more] = await jobs()
    expect([job, more]).toMatchObject([{ file: 'photos/', state: 'done', files: { total: 4, done: 4, failed: 0 } }, []])
    for (const options of [[], ['--checksum'], ['--no-clobber']]) {
      const { stdout } = await client.runHere(['upload', 'photos', ...options])
      expect(stdout).toBe('Uploaded photos (4 files, 9.2 MiB): 4 unchanged\n')
    }
    expect(await jobs()).toHaveLength(1)
  })

  it('tells how each file ended, and exits with the code of the first failure', async () => {
    const { client, put, jobs } = await makeAccount(shared.server)
    await put('in/photos/same', 'same')
    await put('in/photos/old', 'old')
    await put('in/photos/taken/below', 'x')
    await write(client.home, { 'photos/same': 'same', 'photos/old': 'new', 'photos/taken': 'x', 'photos/new': 'n' })
    await write(client.home, { 'photos/line\nbreak': 'x' })
    await symlink('same', `${client.home}/photos/link`)
    const json = await client.runHere(['upload', 'photos', '--name', 'in/', '--json'])
    expect(json.code).toBe(2)
    const [summary, ...ends] = lines(json.stdout).reverse()
    expect(Object.fromEntries(ends.map(({ name, status }) => [name, status]))).toEqual({
      'in/photos/line\nbreak': 'failed',
      'in/photos/link': 'skipped',
      'in/photos/same': 'unchanged',
      'in/photos/old': 'replaced',
      'in/photos/new': 'new',
      'in/photos/taken': 'failed',
    })
    expect(ends.find(({ name }) => name === 'in/photos/taken').error).toMatchObject({ code: 'name-conflict' })
    const [job] = await jobs()
    expect(summary).toEqual({
      summary: {
        ...{ name: 'in/photos/', files: 3, bytes: 8, new: 1, replaced: 1, unchanged: 1 },
        ...{ removed: 0, failed: 2, skipped: 1, foldersCreated: 0, foldersRemoved: 0, job: job!.id },
      },
    })
    const again = await client.runHere(['upload', 'photos', '--name', 'in/', '-v', '--exclude', 'line*'])
    expect(again.code).toBe(6)
    expect(again.stdout).toMatch(/^unchanged in\/photos\/new\n.*3 unchanged, 1 failed, 1 skipped\n$/s)
    expect(again.stderr).toMatch(/Skipped photos\/link: a symbolic link or special file\.\nError: in\/photos\/taken: /)
  })

  it('sends what is included and not excluded, and fails listed files that are missing', async () => {
    const { client, files } = await makeAccount(shared.server)
    await write(client.home, { 'p/a.txt': 'a', 'p/a.tmp': 'a', 'p/cache/b.txt': 'b', 'p/c/d.txt': 'd' })
    await client.runHere(['upload', 'p', '--include', '*.txt', '--exclude', 'cache/'])
    expect((await files()).map(({ name }) => name)).toEqual(['p/a.txt', 'p/c/d.txt'])
    const listed = ['upload', 'p', '--files-from', '-']
    const { code, stderr } = await client.runHere(listed, { input: 'cache/b.txt\nnowhere\n' })
    expect([code, stderr]).toEqual([4, 'Error: p/nowhere: There is no file nowhere.\n'])
    expect(await files()).toHaveLength(3)
  })

  it('fails files that exist with --no-clobber', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('p/a', 'before')
    await write(client.home, { 'p/a': 'after', 'p/b': 'b' })
    const { code, stdout } = await client.runHere(['upload', 'p', '--no-clobber'])
    expect([code, stdout]).toEqual([6, 'Uploaded p (1 file, 1 B): 1 new, 1 failed\n'])
    expect((await files()).map(({ size }) => size)).toEqual([6, 1])
  })

  it('is one job for several folders and files', async () => {
    const { client, files, jobs } = await makeAccount(shared.server)
    await write(client.home, { 'a/x': 'x', 'b/y': 'y', z: 'z' })
    const { stdout } = await client.runHere(['upload', 'b', 'z', 'a'])
    expect(stdout).toBe('Uploaded b, z, … (3 files, 3 B): 3 new\n')
    expect((await files()).map(({ name }) => name)).toEqual(['a/x', 'b/y', 'z'])
    expect(await jobs()).toMatchObject([{ file: '', state: 'done' }])
    expect((await client.runHere(['upload', 'b', 'z', 'a'])).stdout).toMatch(/3 unchanged/)
  })

  it.each([
    [['a.txt', '--exclude', 'x'], /--exclude is for folders/],
    [['p', '--replace'], /--replace needs --together/],
    [['p', 'p'], /would both be called p/],
    [['p', 'a.txt', '--name', 'x'], /can name one file only/],
    [['p', 'a.txt', '--files-from', 'x'], /name that folder alone/],
    [['p', '--transfers', '0'], /--transfers must be a whole number from 1 to 60/],
  ])('rejects %j', async (args, message) => {
    const { client } = await makeAccount(shared.server)
    await write(client.home, { 'p/a': 'a', 'a.txt': 'a' })
    expect(await client.runHere(['upload', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
  })
})

describe('an upload of a folder that is interrupted', () => {
  const slow = ['--limit-rate', '512K', '--no-wait']

  it('by Ctrl-C stops the job once, and the same command resumes it', async () => {
    const { client, files, jobs } = await makeAccount(shared.server)
    await write(client.home, { 'p/a': 'a', 'p/b': 'b', 'p/large': large })
    const upload = client.start(['upload', 'p', '--json', ...slow])
    await eventually('the small ones are there', async () => (await files()).length === 2)
    upload.child.kill('SIGINT')
    expect([await upload.ended(), upload.stderr]).toEqual([130, ''])
    const receipt = lines(upload.stdout).at(-1)
    expect(receipt).toMatchObject({ published: { files: 2, bytes: 2 }, cleanedUp: true, job: { state: 'stopped' } })
    expect(await jobs()).toHaveLength(1)
    expect((await client.runHere(['upload', 'p'])).stdout).toMatch(/1 new, 2 unchanged\n$/)
  })

  it('by a stop from elsewhere exits with 9 and names who did it', async () => {
    const { client, untilJob, fetch } = await makeAccount(shared.server)
    await write(client.home, { 'p/a': 'a', 'p/large': large })
    const upload = client.start(['upload', 'p', ...slow])
    const { id } = await untilJob('upload', 'running')
    expect((await fetch(`/jobs/${id}/stop`, { method: 'POST' })).status).toBe(200)
    expect([await upload.ended(), upload.stderr]).toEqual([
      9,
      expect.stringMatching(/^Error: The upload of p was stopped by user:/),
    ])
    expect(upload.stderr).not.toMatch(/trying again/)
  })

  it('by a network that breaks again and again sends everything in the end', async () => {
    const { client, files, token } = await makeAccount(shared.server)
    const small = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p/${at}`, randomBytes(20_000)]))
    await write(client.home, { ...small, 'p/large': large })
    const proxy = await openCuttingProxy(shared.server.url, [300_000, 2_000_000, 900_000])
    const env = { FILEJOBS_SERVER: proxy.url, FILEJOBS_TOKEN: token }
    const { code, stdout } = await client.runHere(['upload', 'p', '--no-wait'], { env })
    expect([code, stdout]).toEqual([0, 'Uploaded p (41 files, 9.8 MiB): 41 new\n'])
    expect([proxy.cuts, (await files()).length]).toEqual([3, 41])
  })

  it('by a network that is gone exits with 5, with instructions to resume', async () => {
    const { client, untilJob, token } = await makeAccount(shared.server)
    await write(client.home, { 'p/a': 'a', 'p/large': large })
    const proxy = await openCuttingProxy(shared.server.url)
    const env = { FILEJOBS_SERVER: proxy.url, FILEJOBS_TOKEN: token }
    const upload = client.start(['upload', 'p', '--retries', '0', '--json', ...slow], { env })
    await untilJob('upload', 'running')
    proxy.goDown()
    expect(await upload.ended()).toBe(5)
    expect(upload.stderr).toMatch(/Run the same command again to resume/)
    expect(lines(upload.stdout).at(-1).summary).toMatchObject({ failed: 0 })
  })

  it('by a file that vanishes or changes fails that file alone', async () => {
    const { client, files, jobs, liftLimit } = await makeAccount(shared.server)
    await write(client.home, { 'p/a': 'a', 'p/b': large, 'p/c': middle })
    const upload = client.start(['upload', 'p', '--transfers', '1', ...slow])
    await eventually('the second is under way', async () => ((await jobs())[0]?.bytes ?? 0) > 100_000)
    await eventually('the first is there', async () => (await files()).length === 1)
    await rm(`${client.home}/p/c`)
    await writeFile(`${client.home}/p/b`, 'changed')
    await liftLimit((await jobs())[0]!.id)
    expect([await upload.ended(), upload.stderr]).toEqual([1, expect.stringMatching(/^Error: p\/b: /)])
    expect(upload.stderr).toMatch(/p\/b: .*changed while it was read/)
    expect(upload.stderr).toMatch(/p\/c: There is no such file/)
    expect(upload.stdout).toMatch(/1 new, 2 failed/)
    expect((await files()).map(({ name }) => name)).toEqual(['p/a'])
  })
})

onlyLocal('a bucket has no disk that fills', () => {
  describe.skipIf(!canMount)('an upload of a folder to a full disk', () => {
    it('exits with 7, and keeps what has arrived', async () => {
      const { ann } = await startOnSmallDisk()
      const client = await openClient(ann.url, ann.token)
      await write(client.home, { 'p/a': 'a', 'p/b': large, 'p/c': large, 'p/d': large })
      const { code, stdout, stderr } = await client.runHere(['upload', 'p', '--transfers', '1'])
      expect([code, stderr]).toEqual([7, expect.stringMatching(/^Error: /m)])
      expect(stdout).toMatch(/^Uploaded p /)
      expect(await ann.names()).toContain('p/a')
    })
  })
})

describe('filejobs upload --together', () => {
  it('publishes all files in one step, and with --replace removes the others in it', async () => {
    const { client, put, files, jobs } = await makeAccount(shared.server)
    await put('p/old', 'old')
    await put('p/same', 'same')
    await put('beside', 'x')
    await write(client.home, { 'p/a': 'a', 'p/same': 'same', 'p/b/large': large })
    const args = ['upload', 'p', '--together']
    expect((await client.runHere(args)).stdout).toBe('Uploaded p (3 files, 9.0 MiB): 2 new, 1 unchanged\n')
    expect((await files()).map(({ name }) => name)).toEqual(['beside', 'p/a', 'p/b/large', 'p/old', 'p/same'])
    await writeFile(`${client.home}/p/a`, 'b')
    const replaced = await client.runHere([...args, '--replace'])
    expect([replaced.stderr, replaced.stdout]).toEqual([
      '',
      'Uploaded p (3 files, 9.0 MiB): 1 replaced, 2 unchanged, 1 removed\n',
    ])
    expect((await files()).map(({ name }) => name)).toEqual(['beside', 'p/a', 'p/b/large', 'p/same'])
    expect((await jobs()).filter(({ state }) => state === 'done')).toHaveLength(5)
  })

  it('publishes nothing if a file fails', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('p/taken/below', 'x')
    await write(client.home, { 'p/a': 'a', 'p/taken': 'x' })
    const { code, stderr } = await client.runHere(['upload', 'p', '--together'])
    expect([code, stderr]).toEqual([6, expect.stringMatching(/^Error: /)])
    await write(client.home, { 'q/a': 'a', 'q/bad\nname': 'x' })
    const local = await client.runHere(['upload', 'q', '--together'])
    expect([local.code, local.stderr]).toEqual([
      2,
      expect.stringMatching(/Nothing was published: 1 of the files failed/),
    ])
    expect((await files()).map(({ name }) => name)).toEqual(['p/taken/below'])
  })
})
