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

describe('a running transfer', () => {
  it('is paused and goes on, from another terminal', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'held'])
    upload.child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    expect((await client.run(['pause', id])).stdout).toBe('Paused the upload of held.\n')
    expect((await jobs())[0]?.state).toBe('paused')
    expect((await client.run(['resume', id])).stdout).toBe('Resumed the upload of held.\n')
    upload.child.stdin?.end()
    expect(await upload.ended()).toBe(0)
    expect((await client.run(['pause', id])).code).toBe(4)
  })

  it('is stopped by Ctrl-C also while it is paused', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    const upload = client.start(['upload', '-', '--name', 'held'])
    upload.child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    await client.run(['pause', id])
    upload.child.kill('SIGINT')
    expect(await upload.ended()).toBe(130)
    expect((await jobs())[0]?.state).toBe('stopped')
  })

  it('is held to a rate, and let go', async () => {
    const { client, jobs, untilJob } = await makeAccount(server)
    client.start(['upload', '-', '--name', 'slow']).child.stdin?.write('begun')
    const { id } = await untilJob('upload', 'running')
    expect((await client.run(['limit', id, '1M'])).stdout).toBe('Limited the upload of slow to 1.0 MiB/s.\n')
    expect((await jobs())[0]?.rateLimit).toBe(1024 ** 2)
    expect((await client.run(['limit', id, 'off'])).stdout).toBe('No limit on the upload of slow.\n')
    expect((await jobs())[0]?.rateLimit).toBeNull()
    for (const rate of ['0', '-1', 'fast']) expect((await client.run(['limit', id, rate])).code).toBe(2)
    expect((await client.run(['limit', 'nonsense', '1M'])).code).toBe(2)
  })

  it('has its limit from the first byte on with --limit-rate', async () => {
    const { client, folder, untilJob, jobs } = await makeAccount(server)
    await writeFile(`${folder}/a.bin`, randomBytes(8 * 1024 ** 2))
    const running = client.start(['export', 'a.bin', '--limit-rate', '64K'])
    const { id } = await untilJob('export', 'running')
    await eventually('the limit is set', async () => (await jobs())[0]?.rateLimit === 64 * 1024)
    expect((await client.run(['stop', id])).code).toBe(0)
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
