import { randomBytes } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { eventually } from '../helpers/eventually.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

describe('a running transfer', () => {
  it('is paused and resumed from another terminal', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'held'])
    upload.child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    expect((await client.run(['pause', id])).stdout).toBe('Paused the upload of held.\n')
    expect((await jobs())[0]?.state).toBe('paused')
    expect((await client.run(['resume', id])).stdout).toBe('Resumed the upload of held.\n')
    upload.child.stdin?.end()
    expect(await upload.ended()).toBe(0)
    expect((await client.runHere(['pause', id])).code).toBe(4)
  })

  it('ends when its pause exceeds the limit, and is not restarted', async () => {
    const impatient = await startTestServer({ maxPauseMs: 100 })
    onTestFinished(() => impatient.close())
    const { client, place, files, jobs, fetch, untilJob } = await makeAccount(impatient)
    const pause = (id: string) => fetch(`/jobs/${id}/pause`, { method: 'POST' })
    await writeFile(`${client.home}/up.bin`, randomBytes(9 * 1024 ** 2))
    const upload = client.start(['upload', 'up.bin', '--limit-rate', '100K'])
    await pause((await untilJob('upload', 'running')).id)
    expect(await upload.ended()).toBe(5)
    expect(upload.stderr).toBe('Error: The job was paused for longer than 100 ms, so it ended.\n')
    expect([(await jobs()).length, await files()]).toEqual([1, []])

    await place('down.bin', randomBytes(4 * 1024 ** 2))
    const running = client.start(['export', 'down.bin', '--limit-rate', '50K'])
    const part = `${client.home}/down.bin.part`
    await eventually('some is here', async () => (await stat(part).catch(() => ({ size: 0 }))).size > 1)
    await pause((await untilJob('export', 'running')).id)
    expect(await running.ended()).toBe(5)
    expect(running.stderr).toMatch(/^Error: The job was paused for longer than .* again to resume\.\n$/)
    const again = await client.runHere(['export', 'down.bin'])
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('Going on with down.bin')])
    expect((await jobs()).filter(({ kind }) => kind === 'export')).toHaveLength(2)
  })

  it('is stopped by Ctrl-C, even while paused', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'held'])
    upload.child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    await client.runHere(['pause', id])
    upload.child.kill('SIGINT')
    expect(await upload.ended()).toBe(130)
    expect((await jobs())[0]?.state).toBe('stopped')
  })

  it('follows a rate limit, and its removal', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    client.start(['upload', '-', '--name', 'slow']).child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    expect((await client.run(['limit', id, '1M'])).stdout).toBe('Limited the upload of slow to 1.0 MiB/s.\n')
    expect((await jobs())[0]?.rateLimit).toBe(1024 ** 2)
    expect((await client.runHere(['limit', id, 'off'])).stdout).toBe('No limit on the upload of slow.\n')
    expect((await jobs())[0]?.rateLimit).toBeNull()
    for (const rate of ['0', '-1', 'fast']) expect((await client.runHere(['limit', id, rate])).code).toBe(2)
    expect((await client.runHere(['limit', 'nonsense', '1M'])).code).toBe(2)
  })

  it('is limited from the first byte on with --limit-rate', async () => {
    const { client, place, untilJob, jobs } = await makeAccount(server)
    await place('a.bin', randomBytes(8 * 1024 ** 2))
    const running = client.start(['export', 'a.bin', '--limit-rate', '64K'])
    const { id } = await untilJob('export', 'running')
    await eventually('the limit is set', async () => (await jobs())[0]?.rateLimit === 64 * 1024)
    expect((await client.runHere(['stop', id])).code).toBe(0)
    expect(await running.ended()).toBe(9)
    await writeFile(`${client.home}/b.bin`, randomBytes(200_000))
    const upload = client.start(['upload', 'b.bin', '--limit-rate', '100K'])
    const job = await untilJob('upload', 'running')
    await eventually('the limit is set', async () => (await jobs())[0]?.rateLimit === 100 * 1024)
    expect(await upload.ended()).toBe(0)
    const [ended] = (await jobs()).filter(({ id }) => id === job.id)
    expect(Date.parse(ended!.endedAt!) - Date.parse(ended!.startedAt!)).toBeGreaterThan(500)
  })
})
