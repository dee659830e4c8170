import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

describe('files on the server', () => {
  it('are listed with size, time and name, or as JSON', async () => {
    const { client, put } = await makeAccount(server)
    expect(await client.run(['ls'])).toEqual({ code: 0, stdout: '', stderr: 'There are no files yet.\n' })
    await put('b.txt', 'x'.repeat(2048))
    await put('a/c.txt', '')
    await put('c.txt', '')
    expect((await client.runHere(['ls'])).stdout).toMatch(
      /^ +\S.* a\/.*\n +2\.0 KiB .* b\.txt\n +0 B {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}c\.txt\n$/,
    )
    const { stdout } = await client.runHere(['ls', 'a/', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ name: 'a/c.txt', size: 0 })
  })

  it('are renamed and moved into folders', async () => {
    const { client, put, files } = await makeAccount(server)
    await put('a.txt', 'a')
    expect((await client.runHere(['mv', 'a.txt', 'b.txt'])).stdout).toBe('Moved a.txt to b.txt\n')
    expect((await client.runHere(['mv', 'b.txt', 'in/'])).code).toBe(0)
    expect((await files()).map(({ name }) => name)).toEqual(['in/b.txt'])
    expect((await client.runHere(['mv', 'a.txt', 'c.txt'])).code).toBe(4)
  })

  it('are removed individually, or with a folder', async () => {
    const { client, put, files } = await makeAccount(server)
    for (const name of ['a', 'photos/b', 'photos/c/d', 'photos2']) await put(name, name)
    const { code, stdout } = await client.runHere(['rm', 'missing', 'a'])
    expect([code, stdout]).toEqual([4, 'Removed a\n'])
    expect((await client.runHere(['rm', 'photos/'])).code).toBe(2)
    expect((await client.runHere(['rm', '-r', 'photos'])).code).toBe(0)
    expect((await files()).map(({ name }) => name)).toEqual(['photos2'])
    expect((await client.runHere(['rm', '-r', 'photos'])).code).toBe(4)
  })
})

describe('jobs on the server', () => {
  it('are listed newest first, with who stopped them', async () => {
    const { client, put, untilJob } = await makeAccount(server)
    expect((await client.runHere(['jobs'])).stderr).toBe('There are no jobs.\n')
    await put('done.txt', 'x')
    client.start(['upload', '-', '--name', 'running.txt']).child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    expect((await client.runHere(['jobs'])).stdout).toMatch(
      /^JOB +KIND .*\n[0-9a-f-]{36} {2}upload {2}running .* running\.txt\n.* done .* 1 B \(100%\) .* done\.txt\n$/,
    )
    expect((await client.run(['stop', id])).code).toBe(0)
    const { stdout } = await client.runHere(['jobs', '--state', 'stopped', '--json', '--limit', '1'])
    expect(JSON.parse(stdout)).toMatchObject({ id, state: 'stopped', stoppedBy: expect.stringMatching(/^user:/) })
    const since = (time: string) => client.runHere(['jobs', '--since', time, '--state', 'stopped'])
    expect((await since('1h')).stdout).toContain(id)
    expect((await since('2999-01-01')).stderr).toBe('There are no jobs.\n')
    expect((await client.runHere(['jobs', '--error', 'disk-full'])).stderr).toBe('There are no jobs.\n')
  })

  it('of all accounts are listed for admins, who can stop them', async () => {
    const { client, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'theirs'])
    upload.child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const { client: admin } = await makeAccount(server, 'admin')
    expect((await admin.runHere(['jobs', '--all', '--state', 'running'])).stdout).toMatch(/user:user\d+ .* theirs/)
    expect((await client.runHere(['jobs', '--all'])).code).toBe(3)
    expect((await client.runHere(['stop', 'upload', '--all'])).code).toBe(3)
    expect((await admin.runHere(['stop', 'upload', '--all'])).stdout).toMatch(/theirs/)
    expect(await upload.ended()).toBe(9)
    expect(upload.stderr).toMatch(/stopped by admin:admin/)
  })

  it('that cannot be stopped make stop exit with 4', async () => {
    const { client, put, jobs } = await makeAccount(server)
    expect(await client.runHere(['stop'])).toMatchObject({ code: 4, stdout: '' })
    expect((await client.runHere(['stop', 'export'])).code).toBe(4)
    expect((await client.runHere(['stop', 'query'])).code).toBe(4)
    expect((await client.runHere(['stop', '00000000-0000-4000-8000-000000000000'])).code).toBe(4)
    await put('done.txt', 'x')
    expect((await client.runHere(['stop', (await jobs())[0]!.id])).code).toBe(4)
  })

  it('are all stopped by stop without arguments', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    const running = client.start(['upload', '-', '--name', 'one'])
    running.child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const waiting = client.start(['upload', '--wait', '-', '--name', 'two'], { input: 'x' })
    await untilJob('upload', 'waiting')
    const { stdout } = await client.runHere(['stop', '--json'])
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).job.file),
    ).toEqual(['two', 'one'])
    expect(await Promise.all([running.ended(), waiting.ended()]), waiting.stderr).toEqual([9, 9])
    expect((await jobs()).map(({ state }) => state)).toEqual(['stopped', 'stopped'])
  })
})
