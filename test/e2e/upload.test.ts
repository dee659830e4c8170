import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { partialNames } from '../helpers/stored-state.js'

let server: TestServer
let slowServer: TestServer
beforeAll(async () => {
  server = await startTestServer({ maxFileSize: 64 * 1024 ** 2 })
  slowServer = await startTestServer({ rateLimitPerAccount: 256 * 1024 })
})
afterAll(() => Promise.all([server.close(), slowServer.close()]))

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')

/** The unpublished files of a job on the server's disk. */
async function partialsOf({ id }: { id: string }): Promise<string[]> {
  return (await partialNames(server.dataFolder)).filter((name) => name.includes(id))
}

describe('filejobs upload', () => {
  it('uploads small and large files completely', async () => {
    const { client, files } = await makeAccount(server)
    const contents = {
      'empty.bin': 0,
      'small.bin': 100,
      'large.bin': 9 * 1024 ** 2 + 1,
      'larger.bin': 40 * 1024 ** 2 + 1,
    }
    const expected = await Promise.all(
      Object.entries(contents).map(async ([name, size]) => {
        const content = randomBytes(size)
        await writeFile(`${client.home}/${name}`, content)
        return { name, size, sha256: sha256(content) }
      }),
    )
    const { code, stdout, stderr } = await client.run(['upload', ...Object.keys(contents)])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe('Uploaded empty.bin, small.bin, … (4 files, 49.0 MiB): 4 new\n')
    expect(await files()).toEqual(expect.arrayContaining(expected.map((record) => expect.objectContaining(record))))
  })

  it('uploads a folder under its name', async () => {
    const { client, files } = await makeAccount(server)
    await mkdir(`${client.home}/photos/2024`, { recursive: true })
    await writeFile(`${client.home}/photos/a.jpg`, 'a')
    await writeFile(`${client.home}/photos/2024/Übung [1] #2?.jpg`, 'b')
    const { code, stdout } = await client.runHere(['upload', 'photos', '--json'])
    expect(code).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).name),
    ).toEqual(['photos/2024/Übung [1] #2?.jpg', 'photos/a.jpg', undefined])
    expect((await files()).map(({ name }) => name)).toEqual(['photos/2024/Übung [1] #2?.jpg', 'photos/a.jpg'])
  })

  it('uploads stdin of any length', async () => {
    const { client, files } = await makeAccount(server)
    const input = randomBytes(10 * 1024 ** 2)
    expect((await client.run(['upload', '-', '--name', 'x/in.bin'], { input })).code).toBe(0)
    expect(await files()).toEqual([
      expect.objectContaining({ name: 'x/in.bin', size: input.length, sha256: sha256(input) }),
    ])
  })

  it('does not replace a file with --no-clobber, and exits with 6', async () => {
    const { client, put, files } = await makeAccount(server)
    const before = await put('a.txt', 'before')
    await writeFile(`${client.home}/a.txt`, 'after')
    expect((await client.runHere(['upload', '--no-clobber', 'a.txt'])).code).toBe(6)
    expect((await files())[0]?.sha256).toBe(before.sha256)
    expect((await client.runHere(['upload', 'a.txt'])).code).toBe(0)
  })

  it.each([1, 9, 33])('sends no bytes if the server has the same file under that name: %i MiB', async (size) => {
    const { client, files, jobs } = await makeAccount(server)
    const content = randomBytes(size * 1024 ** 2)
    await writeFile(`${client.home}/a.bin`, content)
    expect((await client.runHere(['upload', 'a.bin'])).code).toBe(0)
    const before = await files()
    for (const options of [[], ['--no-clobber']]) {
      const again = await client.runHere(['upload', 'a.bin', ...options])
      expect([again.code, again.stdout], again.stderr).toEqual([0, `Uploaded a.bin (${size}.0 MiB)\n`])
    }
    expect([await files(), (await jobs()).length]).toEqual([before, 1])
    content[5] = content[5]! ^ 1
    await writeFile(`${client.home}/a.bin`, content)
    expect((await client.runHere(['upload', 'a.bin', '--no-clobber'])).code).toBe(6)
    expect((await client.runHere(['upload', 'a.bin'])).code).toBe(0)
    expect((await files())[0]?.sha256).toBe(sha256(content))
  })

  it('continues with the other files after a failure, and exits with the first failure’s code', async () => {
    const { client, put, files } = await makeAccount(server)
    await put('taken/below', 'x')
    for (const name of ['taken', 'good']) await writeFile(`${client.home}/${name}`, name)
    const { code, stdout, stderr } = await client.runHere(['upload', 'taken', 'good'])
    expect([code, stdout]).toEqual([6, 'Uploaded taken, good (1 file, 4 B): 1 new, 1 failed\n'])
    expect(stderr).toMatch(/^Error: taken: /)
    expect((await files()).map(({ name }) => name)).toEqual(['good', 'taken/below'])
  })

  it('continues with the other files also if one is missing or unreadable, in a folder too', async () => {
    const { client, files } = await makeAccount(server)
    await mkdir(`${client.home}/photos`)
    for (const name of ['photos/a.jpg', 'good']) await writeFile(`${client.home}/${name}`, name)
    const { code, stdout, stderr } = await client.runHere([
      'upload',
      'photos',
      'nowhere',
      'good/x',
      'good',
      '--name',
      'in/',
    ])
    expect([code, stdout]).toEqual([4, 'Uploaded in/ (2 files, 16 B): 2 new, 2 failed\n'])
    expect(stderr).toBe(
      'Error: in/nowhere: There is no file nowhere.\nError: in/x: A part of the path is not a folder: good/x\n',
    )
    expect((await files()).map(({ name }) => name)).toEqual(['in/good', 'in/photos/a.jpg'])
  })

  it('rejects several files with the same name before sending any', async () => {
    const { client, files } = await makeAccount(server)
    await mkdir(`${client.home}/other`)
    for (const name of ['a', 'other/a', 'b']) await writeFile(`${client.home}/${name}`, name)
    expect((await client.runHere(['upload', 'b', 'a', 'other/a'])).code).toBe(2)
    expect(await files()).toEqual([])
  })

  it('rejects a file that is too large before sending, with exit code 7', async () => {
    const { client } = await makeAccount(server)
    const input = randomBytes(65 * 1024 ** 2)
    await writeFile(`${client.home}/huge`, input)
    const { code, stderr } = await client.runHere(['upload', 'huge'])
    expect(code).toBe(7)
    expect(stderr).toMatch(/^Error: .*64/)
    // Of unknown length it is noticed on the way.
    expect((await client.runHere(['upload', '-', '--name', 'huge'], { input })).code).toBe(7)
  })

  it.each(['../up', 'a//b', 'a\\b', 'ops:x/y', 'x'.repeat(241)])('exits with 2 for the name %j', async (name) => {
    const { client, files } = await makeAccount(server)
    const { code, stderr } = await client.runHere(['upload', '-', '--name', name], { input: 'x' })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/name/)])
    expect(await files()).toEqual([])
  })

  it('exits with 4 for a missing file, and with 3 without a login', async () => {
    const { client } = await makeAccount(server)
    expect(await client.runHere(['upload', 'nowhere'])).toMatchObject({
      code: 4,
      stderr: 'Error: There is no file nowhere.\n',
    })
    expect((await client.runHere(['upload', '-', '--name', 'x'], { env: { FILEJOBS_TOKEN: 'altered' } })).code).toBe(3)
  })

  it('never prints control characters in a name', async () => {
    const { client } = await makeAccount(server)
    await writeFile(`${client.home}/a\u001b[2J`, '')
    const { code, stderr } = await client.runHere(['upload', 'a\u001b[2J', 'nowhere\u001b[2J'])
    expect([code, stderr]).toEqual([4, expect.stringMatching(/There is no file nowhere.*\n.*control character/)])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(stderr).not.toMatch(/\u001b/)
  })
})

describe('two uploads of one account', () => {
  it('exclude each other: the second exits with 6, naming the first', async () => {
    const { client, untilJob } = await makeAccount(server)
    client.start(['upload', '-', '--name', 'first']).child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const { code, stderr } = await client.runHere(['upload', '-', '--name', 'second'], { input: 'x' })
    expect([code, stderr]).toEqual([
      6,
      'Error: Another upload of first is running. Wait for its end with --wait, or stop it: "filejobs stop upload".\n',
    ])
  })

  it('show what the second waits for', async () => {
    const { client, untilJob } = await makeAccount(server)
    const first = client.start(['upload', '-', '--name', 'w4.bin'])
    first.child.stdin?.write('begun')
    await untilJob('upload', 'running')
    await writeFile(`${client.home}/small`, 'x')
    await writeFile(`${client.home}/large`, Buffer.alloc(9 * 1024 ** 2))
    for (const name of ['small', 'large']) {
      const second = client.start(['upload', '--wait', name])
      await second.says(/^Your account is already uploading w4\.bin: waiting …\n/)
      await untilJob('upload', 'waiting')
      second.child.kill('SIGINT')
      expect(await second.ended()).toBe(130)
    }
    first.child.stdin?.end()
    expect(await first.ended()).toBe(0)
  })

  it('run one after another with --wait', async () => {
    const { client, files, untilJob } = await makeAccount(server)
    const first = client.start(['upload', '-', '--name', 'first'])
    first.child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const second = client.start(['upload', '--wait', '-', '--name', 'second'], { input: 'x' })
    await untilJob('upload', 'waiting')
    first.child.stdin?.end()
    expect(await Promise.all([first.ended(), second.ended()])).toEqual([0, 0])
    expect((await files()).map(({ name }) => name)).toEqual(['first', 'second'])
  })

  it('end the wait of the second after the given time, with exit code 6', async () => {
    const { client, untilJob } = await makeAccount(server)
    client.start(['upload', '-', '--name', 'first']).child.stdin?.write('begun')
    await untilJob('upload', 'running')
    expect((await client.runHere(['upload', '--wait=1', '-', '--name', 'second'], { input: 'x' })).code).toBe(6)
  })

  it('end separately: Ctrl-C removes the second from the queue, and the first completes', async () => {
    const { client, files, untilJob } = await makeAccount(server)
    const first = client.start(['upload', '-', '--name', 'first'])
    first.child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const second = client.start(['upload', '--wait', '-', '--name', 'second'], { input: 'x' })
    await untilJob('upload', 'waiting')
    second.child.kill('SIGINT')
    expect(await second.ended()).toBe(130)
    first.child.stdin?.end(', ended')
    expect(await first.ended()).toBe(0)
    expect(await files()).toEqual([expect.objectContaining({ name: 'first', size: 12 })])
  })
})

describe('a stopped upload', () => {
  it('exits with 9, names who stopped it and leaves nothing', async () => {
    const { client, files, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'mine'])
    upload.child.stdin?.write(randomBytes(300_000))
    const job = await untilJob('upload', 'running')
    const stop = await client.runHere(['stop', '--json'])
    expect(JSON.parse(stop.stdout)).toMatchObject({ cleanedUp: true, job: { id: job.id, state: 'stopped' } })
    expect(await upload.ended()).toBe(9)
    expect(upload.stderr).toMatch(/^Error: .*mine.*stopped by user:user\d+/)
    expect([upload.stdout, await partialsOf(job), await files()]).toEqual(['', [], []])
  })

  it('reports the stop also while it sends at full speed', async () => {
    const { client, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'fast'])
    const block = randomBytes(1024 ** 2)
    const { stdin } = upload.child
    const feed = () => {
      while (stdin?.writable && stdin.write(block));
    }
    stdin?.on('drain', feed)
    feed()
    await untilJob('upload', 'running')
    const stop = await client.runHere(['stop', 'upload'])
    if (stop.code === 0) expect(await upload.ended()).toBe(9)
    // It may have grown over the limit first.
    else expect(await upload.ended()).toBe(7)
    expect(upload.stderr).not.toMatch(/EPIPE|ECONNRESET|cut/)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s waits for the receipt, prints it and exits with %d', async (signal, code) => {
    const { client, jobs, files, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'mine', '--json'])
    upload.child.stdin?.write('begun')
    const job = await untilJob('upload', 'running')
    upload.child.kill(signal)
    expect(await upload.ended()).toBe(code)
    expect(JSON.parse(upload.stdout)).toMatchObject({ cleanedUp: true, job: { file: 'mine', state: 'stopped' } })
    expect((await jobs()).map(({ state }) => state)).toEqual(['stopped'])
    expect([await partialsOf(job), await files()]).toEqual([[], []])
  })

  it('by Ctrl-C ends all files of the command', async () => {
    const { client, files, untilJob } = await makeAccount(slowServer)
    for (const name of ['first', 'next']) await writeFile(`${client.home}/${name}`, randomBytes(3 * 1024 ** 2))
    const upload = client.start(['upload', 'first', 'next', '--json'])
    await untilJob('upload', 'running')
    upload.child.kill('SIGINT')
    expect(await upload.ended()).toBe(130)
    expect(JSON.parse(upload.stdout)).toMatchObject({ published: { files: 0 }, cleanedUp: true })
    expect(await files()).toEqual([])
  })

  it('lets the next upload start at once', async () => {
    const { client, untilJob } = await makeAccount(server)
    client.start(['upload', '-', '--name', 'mine']).child.stdin?.write('begun')
    await untilJob('upload', 'running')
    expect((await client.run(['stop'])).stdout).toMatch(/mine/)
    expect((await client.runHere(['upload', '-', '--name', 'mine'], { input: 'x' })).code).toBe(0)
  })
})
