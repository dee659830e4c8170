import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { run } from '../helpers/system-programs.js'

let server: TestServer
let slowServer: TestServer
beforeAll(async () => {
  server = await startTestServer()
  slowServer = await startTestServer({ rateLimitPerAccount: 512 * 1024 })
})
afterAll(() => Promise.all([server.close(), slowServer.close()]))

describe('filejobs export of a folder as an archive', () => {
  it('an export of a folder to stdout is a tar, as one job', async () => {
    const { client, put, jobs } = await makeAccount(server)
    await put('photos/a b.jpg', 'a')
    await put('photos/2024/b.jpg', 'b')
    const options = { command: ['sh', '-c', '"$0" "$@" | tar x'] }
    expect(await client.run(['export', 'photos/', '-o', '-'], options)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await readFile(`${client.home}/photos/a b.jpg`, 'utf8')).toBe('a')
    expect(await readFile(`${client.home}/photos/2024/b.jpg`, 'utf8')).toBe('b')
    const exported = (await jobs()).filter(({ kind }) => kind === 'export')
    expect(exported).toMatchObject([{ state: 'done', file: 'photos/', files: { total: 2, done: 2 } }])
  })

  it('a target with the extension of an archive is one, also of several files and folders', async () => {
    const { client, put } = await makeAccount(server)
    await put('photos/a.jpg', 'a')
    await put('notes.txt', 'some notes')
    const { code, stdout } = await client.runHere(['export', 'photos/', 'notes.txt', '-o', 'all.zip'])
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Exported photos\/ notes.txt to all.zip \(2 files, \d+ B\)\n$/),
    })
    expect((await run('unzip', ['-Z1', `${client.home}/all.zip`])).stdout).toBe('photos/a.jpg\nnotes.txt\n')
    const again = await client.runHere(['export', 'photos/', '-o', 'all.zip'])
    expect(again).toMatchObject({ code: 6, stderr: expect.stringContaining('exists already: use --force') })
    const forced = await client.runHere(['export', 'photos/', '-o', 'all.zip', '--force', '--json'])
    expect(JSON.parse(forced.stdout)).toMatchObject({ names: ['photos/'], path: 'all.zip', files: 1 })
    expect((await run('unzip', ['-Z1', `${client.home}/all.zip`])).stdout).toBe('photos/a.jpg\n')
  })

  it('a single file and a folder that is named like an archive are exported as before', async () => {
    const { client, put } = await makeAccount(server)
    await put('notes.txt', 'some notes')
    await put('photos/a.jpg', 'a')
    await client.runHere(['export', 'notes.txt', '-o', 'notes.zip'])
    expect(await readFile(`${client.home}/notes.zip`, 'utf8')).toBe('some notes')
    await mkdir(`${client.home}/old.tar`)
    await client.runHere(['export', 'photos/', '-o', 'old.tar'])
    expect(await readdir(`${client.home}/old.tar`)).toEqual(['a.jpg'])
  })

  it('a folder that does not exist is exit code 4, and no file', async () => {
    const { client } = await makeAccount(server)
    const { code, stderr } = await client.runHere(['export', 'missing/', '-o', 'all.tar'])
    expect({ code, stderr }).toEqual({ code: 4, stderr: 'Error: There is no folder "missing/".\n' })
    expect(await readdir(client.home)).not.toContain('all.tar')
  })

  it('a published folder is exported as an archive', async () => {
    const depot = await makeAccount(server, 'ops')
    await depot.put('docs/a.txt', 'published')
    const { username } = (await (await depot.fetch('/auth/me')).json()) as { username: string }
    const { client } = await makeAccount(server, 'client')
    expect((await client.runHere(['export', `ops:${username}/docs/`, '-o', 'docs.tar'])).code).toBe(0)
    expect((await run('tar', ['-tf', `${client.home}/docs.tar`])).stdout).toBe('docs/a.txt\n')
  })

  it('an archive that is stopped by another exits with 9, names who stopped it, and leaves no file', async () => {
    const { client, place, fetch, untilJob } = await makeAccount(slowServer)
    await place('photos/a.bin', randomBytes(6 * 1024 ** 2))
    const running = client.start(['export', 'photos/', '-o', 'photos.tar'])
    const { id } = await untilJob('export', 'running')
    expect((await fetch(`/jobs/${id}/stop`, { method: 'POST' })).status).toBe(200)
    expect(await running.ended()).toBe(9)
    expect(running.stderr).toMatch(/^Error: The export of photos\/ was stopped by user:user\d+\.\n$/)
    expect((await readdir(client.home)).filter((name) => name.startsWith('photos'))).toEqual([])
  })

  it('Ctrl-C while an archive goes to stdout stops the job, and tar rejects what it has read', async () => {
    const { client, place, untilJob } = await makeAccount(slowServer)
    await place('photos/a.bin', randomBytes(6 * 1024 ** 2))
    const running = client.start(['export', 'photos/', '-o', '-'])
    const read: Buffer[] = []
    running.child.stdout?.on('data', (chunk: string) => read.push(Buffer.from(chunk, 'utf8')))
    await untilJob('export', 'running')
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(running.stderr).toMatch(/Stopped the export of photos\//)
    await writeFile(`${client.home}/cut.tar`, Buffer.concat(read))
    expect((await run('tar', ['-tf', `${client.home}/cut.tar`])).code).not.toBe(0)
  })
})
