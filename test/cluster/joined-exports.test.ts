import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answerOf, type Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { startDefaultNginx } from '../helpers/nginx.js'
import { hasProgram, run } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { hasCluster, startCluster } from './helpers/servers.js'

const MiB = 1024 ** 2
/** More than the buffers of three connections in a row hold. */
const size = 48 * MiB

describe.skipIf(!hasCluster)('the ranges of an export', () => {
  it('are one job, whichever servers they come to, whose bytes are those of all', async () => {
    const [here, there] = await readers()
    const streams = [
      await open(here, { Range: 'bytes=0-9999999' }),
      await open(there, { Range: 'bytes=10000000-29999999' }),
    ]
    const [job] = await exportsOf(there)
    expect(streams.map(({ headers }) => headers['filejobs-job'])).toEqual([job.id, job.id])
    const bytes = await Promise.all(streams.map(drain))
    expect(bytes).toEqual([10_000_000, 20_000_000])
    await eventually('it is done', async () => (await here.job(job.id)).state === 'done')
    expect(await there.job(job.id)).toMatchObject({ bytes: 30_000_000, file: 'big' })
    expect(await exportsOf(here)).toHaveLength(1)
  })

  it('are one job, if they come to two servers at the same time', async () => {
    const [here, there] = await readers()
    for (let round = 0; round < 5; round++) {
      const streams = await Promise.all(
        [here, there, here, there].map((caller) => open(caller, { Range: 'bytes=0-29999999' })),
      )
      expect(streams.map(({ statusCode }) => statusCode)).toEqual([206, 206, 206, 206])
      expect(new Set(streams.map(({ headers }) => headers['filejobs-job'])).size).toBe(1)
      const ids = (await exportsOf(here)).map(({ id }: { id: string }) => id)
      expect(ids).toHaveLength(round + 1)
      await Promise.all(streams.map(drain))
      await eventually('it has ended', async () => (await here.job(ids[0]!)).endedAt !== null)
    }
  })

  it('also of a request with a body', async () => {
    const [here, there] = await readers()
    const first = await open(here)
    const headers = { 'Content-Type': 'application/json', Range: 'bytes=0-9' }
    const request = there.open('/export', { method: 'POST', headers })
    request.end(JSON.stringify({ filename: 'big' }))
    const { status, body, headers: answer } = await answerOf(request)
    expect([status, body.length, answer['filejobs-job']]).toEqual([206, 10, first.headers['filejobs-job']])
    first.destroy()
  })

  it('are reset by one stop, and may not go on at another server', async () => {
    const [here, there, third] = await readers(3)
    const streams = [await open(here), await open(there), await open(third, { Range: 'bytes=5000000-' })]
    const ends = streams.map(endOf)
    const { json } = await third.post('/export/stop')
    expect(json).toMatchObject({ job: { state: 'stopped' }, receipts: [{ cleanedUp: true }] })
    for (const stream of streams) stream.resume()
    expect(await Promise.all(ends)).toEqual(Array(3).fill('Error: aborted'))
    const job = json.job.id
    for (const caller of [here, there, third]) {
      const again = await caller.call('/files/big', { headers: { Range: 'bytes=5000000-' } })
      expect([again.status, again.json.code, again.json.stoppedBy]).toEqual([409, 'job-stopped', 'user:ann'])
      expect(again.json.job).toMatchObject({ id: job, state: 'stopped' })
    }
    const other = { 'User-Agent': 'another program' }
    expect(await drain(await open(there, other))).toBe(size)
    expect((await here.call('/files/big', { headers: { Range: 'bytes=5000000-5000009' } })).status).toBe(206)
  })

  it('are paused and limited as one', async () => {
    const [here, there] = await readers()
    const streams = [await open(here), await open(there)]
    const [{ id }] = await exportsOf(here)
    expect((await there.post(`/jobs/${id}/pause`)).json.state).toBe('paused')
    const bytes = streams.map(drain)
    await eventually('it stands still', async () => {
      const before = (await here.job(id)).bytes
      await new Promise((resolve) => setTimeout(resolve, 200))
      return (await here.job(id)).bytes === before
    })
    expect((await here.post(`/jobs/${id}/resume`)).json.state).toBe('running')
    expect(await Promise.all(bytes)).toEqual([size, size])
  })

  it('end with their clients, and a job with its last stream', async () => {
    const [here, there] = await readers()
    const [first, second] = [await open(here), await open(there)]
    const [{ id }] = await exportsOf(here)
    first.destroy()
    expect((await here.job(id)).state).toBe('running')
    second.destroy()
    await eventually('it has ended', async () => (await here.job(id)).endedAt !== null)
  })

  it('of an archive that another server has prepared are sent by that one', async () => {
    const [here, there] = await readers()
    const { json, headers } = await here.post('/export', { files: ['big'], prepare: true })
    const archive = await open(there, {}, headers.location)
    expect(archive.headers['filejobs-job']).toBe(json.id)
    expect(await drain(archive)).toBeGreaterThan(size)
    await eventually('it is done', async () => (await there.job(json.id)).state === 'done')
    expect((await there.call(headers.location as string)).status).toBe(404)
  })

  it('of links are a job each', async () => {
    const [here, there] = await readers()
    const { json } = await here.post('/shares', { filename: 'big', expiresIn: 60 })
    const path = new URL(json.url).pathname
    const streams = [await open(here, {}, path), await open(there, {}, path)]
    expect(new Set(streams.map(({ headers }) => headers['filejobs-job'])).size).toBe(2)
    for (const stream of streams) stream.destroy()
  })
})

describe.skipIf(!hasCluster || !hasProgram('nginx') || !hasProgram('aria2c'))('a download through nginx', () => {
  it('by several connections of aria2c is one job', async () => {
    const [here, there] = await readers()
    const url = await startDefaultNginx([here, there].map(({ url }) => url))
    const folder = await temporaryFolder()
    const connections = ['-x4', '-s4', '-k1M', '--file-allocation=none']
    const headers = [`--header=Authorization: Bearer ${here.token}`, '--header=Filejobs-Rate-Limit: 8000000']
    const { code } = await run('aria2c', [
      '-q',
      ...connections,
      ...headers,
      '-d',
      folder,
      '-o',
      'big',
      `${url}/files/big`,
    ])
    expect(code).toBe(0)
    const content = await readFile(join(folder, 'big'))
    const sha256 = createHash('sha256').update(content).digest('hex')
    const { files } = (await here.call('/files')).json
    expect([content.length, sha256]).toEqual([size, files[0].sha256])
    await eventually('it has ended', async () => (await exportsOf(here)).every(({ endedAt }) => endedAt !== null))
    expect(await exportsOf(there)).toHaveLength(1)
  })
})

async function readers(count = 2): Promise<[Caller, Caller, Caller]> {
  const callers = (await (await startCluster(count)).logIn('ann')) as [Caller, Caller, Caller]
  expect((await callers[0].put('big', randomBytes(size))).status).toBe(201)
  return callers
}

/** A response of which nothing is read yet. */
async function open(caller: Caller, headers = {}, path = '/files/big'): Promise<IncomingMessage> {
  const request = caller.open(path, { headers })
  request.on('error', () => {})
  const response = new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
  request.end()
  return (await response).pause().on('error', () => {})
}

function endOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    response.on('error', (error) => resolve(String(error))).on('end', () => resolve('whole'))
  })
}

async function drain(response: IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of response) bytes += chunk.length
  return bytes
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks at the members that it expects
async function exportsOf(caller: Caller): Promise<any[]> {
  return (await caller.call('/jobs?kind=export')).json.jobs
}
