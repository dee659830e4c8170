import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { eventually } from '../helpers/eventually.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

/** An account with the dump of yesterday, which must outlive every failure. */
async function withOldDump() {
  const account = await makeAccount(server)
  await account.put('dump.sql', 'yesterday')
  const dump = async () => (await account.fetch('/files/dump.sql')).text()
  const upload = ['upload', '--name', 'dump.sql', '--from-command']
  const jobs = async () => (await account.jobs()).map(({ state }) => state)
  return { ...account, dump, upload, jobs }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('filejobs upload --from-command', () => {
  it('publishes the output of the command, and passes its stderr through', async () => {
    const { client, upload, files } = await withOldDump()
    await writeFile(`${client.home}/data`, randomBytes(3 * 1024 ** 2))
    const { code, stdout, stderr } = await client.run([...upload, '--', 'sh', '-c', 'echo reading >&2; cat data'])
    expect([code, stdout, stderr]).toEqual([0, 'Uploaded dump.sql (3.0 MiB)\n', 'reading\n'])
    expect((await files())[0]).toMatchObject({ name: 'dump.sql', size: 3 * 1024 ** 2 })
  })

  it('passes its own stdin to the command', async () => {
    const { client, upload, dump } = await withOldDump()
    expect((await client.run([...upload, '--', 'tr', 'a-z', 'A-Z'], { input: 'today' })).code).toBe(0)
    expect(await dump()).toBe('TODAY')
  })

  it.each([
    ['exits with another code than 0', ['sh', '-c', 'echo half; exit 3'], 1, 'sh exited with code 3: nothing was'],
    ['is killed by a signal', ['sh', '-c', 'echo half; kill -9 $$'], 1, 'sh was killed by SIGKILL: nothing was'],
    ['fails while a child of it still has its stdout', ['sh', '-c', 'sleep 600 & exit 3'], 1, 'sh exited with code 3'],
    ['does not exist', ['no-such-dump'], 4, 'There is no command no-such-dump.'],
    ['cannot be started', ['/'], 3, '/ cannot be started (EACCES).'],
    ['writes nothing', ['true'], 10, 'No bytes came for dump.sql: nothing was published.'],
  ])('publishes nothing if the command %s', async (_how, command, code, words) => {
    const { client, upload, dump, jobs } = await withOldDump()
    const ended = await client.run([...upload, '--', ...command])
    expect(ended.stderr).toContain(words)
    expect(ended.code).toBe(code)
    expect(await dump()).toBe('yesterday')
    expect(await jobs()).not.toContain('running')
    expect(await jobs()).not.toContain('interrupted')
  })

  it('requires a command that is not empty', async () => {
    const { client, upload, dump } = await withOldDump()
    const { code, stderr } = await client.run([...upload, '--', ''])
    expect([code, stderr]).toEqual([2, expect.stringContaining('The command is empty')])
    expect(await dump()).toBe('yesterday')
  })

  it('requires a file name that is not a folder', async () => {
    const { client } = await withOldDump()
    for (const name of [[], ['--name', 'dumps/']]) {
      const { code, stderr } = await client.run(['upload', ...name, '--from-command', '--', 'true'])
      expect([code, stderr]).toEqual([2, expect.stringContaining('give it one with --name NAME')])
    }
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends the command and its children, too, at %s', async (signal, code) => {
    const { client, upload, dump, untilJob } = await withOldDump()
    const running = client.start([...upload, '--', 'sh', '-c', 'sleep 600 & echo $! $$ >&2; echo half; wait'])
    const pids = (await running.says(/(\d+) (\d+)/)).slice(1).map(Number)
    await untilJob('upload', 'running')
    running.child.kill(signal)
    expect(await running.ended()).toBe(code)
    expect(running.stdout).toContain('nothing was published')
    await eventually('the command and its child have ended', () => !pids.some(isAlive))
    expect(await dump()).toBe('yesterday')
  })

  it('kills a command that ignores SIGTERM', async () => {
    const { client, upload, untilJob } = await withOldDump()
    const running = client.start([
      ...upload,
      '--',
      'sh',
      '-c',
      'trap "" TERM; echo $$ >&2; echo half; while :; do sleep 1; done',
    ])
    const [, pid] = await running.says(/(\d+)/)
    await untilJob('upload', 'running')
    running.child.kill('SIGINT')
    expect(await running.ended()).toBe(130)
    expect(isAlive(Number(pid))).toBe(false)
  })

  it('ends the command when another client stops its upload', async () => {
    const { client, upload, untilJob, fetch } = await withOldDump()
    const running = client.start([...upload, '--', 'sh', '-c', 'echo $$ >&2; echo half; sleep 600'])
    const [, pid] = await running.says(/(\d+)/)
    const { id } = await untilJob('upload', 'running')
    expect((await fetch(`/jobs/${id}/stop`, { method: 'POST' })).status).toBe(200)
    expect(await running.ended()).toBe(9)
    await eventually('the command has ended', () => !isAlive(Number(pid)))
  })
})

describe('filejobs upload of an empty stream', () => {
  it('is rejected with exit code 10, and the existing file remains', async () => {
    const { client, dump, jobs } = await withOldDump()
    const { code, stderr } = await client.run(['upload', '-', '--name', 'dump.sql'], { input: '' })
    expect([code, stderr]).toEqual([10, expect.stringMatching(/^Error: No bytes came for dump\.sql.*--allow-empty/)])
    expect(await dump()).toBe('yesterday')
    expect(await jobs()).not.toContain('interrupted')
  })

  it('is rejected also for a pipe given by its path', async () => {
    const { client, dump } = await withOldDump()
    const fifo = `${client.home}/fifo`
    execFileSync('mkfifo', [fifo])
    const upload = client.start(['upload', fifo, '--name', 'dump.sql'])
    await writeFile(fifo, '')
    expect(await upload.ended()).toBe(10)
    expect(await dump()).toBe('yesterday')
  })

  it('creates an empty file with --allow-empty', async () => {
    const { client, upload, dump } = await withOldDump()
    expect((await client.run(['upload', '-', '--name', 'dump.sql', '--allow-empty'], { input: '' })).code).toBe(0)
    expect(await dump()).toBe('')
    expect((await client.run([...upload, '--allow-empty', '--', 'true'])).code).toBe(0)
  })
})
