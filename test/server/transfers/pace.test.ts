import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerOf, Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { placeFile } from '../../helpers/placed-files.js'
import { endless, rateOf } from '../../helpers/rates.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0, jobsPerAccount: 4 })
const kibibyte = 1024
const mebibyte = 1024 ** 2

describe('a rate limit', () => {
  it.each([64 * kibibyte, 8 * mebibyte])('of %d bytes per second is kept by an upload', async (limit) => {
    const ann = await shared.newCaller()
    const { id } = startUpload(ann, 'a', limit)
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    await expectRate(ann, id, limit)
    expect(await ann.job(id)).toMatchObject({ state: 'running', rateLimit: limit })
  })

  it.each([64 * kibibyte, 8 * mebibyte])('of %d bytes per second is kept by an export', async (limit) => {
    const ann = await shared.newCaller()
    // More than passes in all tries to measure.
    await ann.put('a', Buffer.alloc(200 * mebibyte))
    const { id, received } = startExport(ann, 'a', limit)
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    await expectRate(ann, id, limit)
    const bytes = received()
    await eventually(
      'nothing has reached the reader that is not counted',
      async () => (await ann.job(id)).bytes >= bytes,
    )
  })

  it('can be changed during a transfer, also for an unlimited export', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', Buffer.alloc(200 * mebibyte))
    const changeTwice = async ({ id }: { id: string }) => {
      await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
      const limited = await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: mebibyte } })
      expect(limited).toMatchObject({ status: 200, json: { id, rateLimit: mebibyte } })
      await expectRate(ann, id, mebibyte)
      await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 4 * mebibyte } })
      await expectRate(ann, id, 4 * mebibyte)
    }
    await Promise.all([startUpload(ann, 'b', null), startExport(ann, 'a', 30 * mebibyte)].map(changeTwice))
  })

  it('that is removed releases waiting transfers at once, even if they would wait for days', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', Buffer.alloc(mebibyte))
    const upload = await holdUpload(ann, 'b', { size: 10_000_000, headers: { 'Filejobs-Rate-Limit': 1 } })
    const download = startExport(ann, 'a', 1)
    upload.finish()
    await eventually('it crawls', async () => (await ann.job(download.id)).state === 'running')
    for (const { id } of [upload, download]) {
      const lifted = await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: null } })
      expect(lifted.json).toMatchObject({ rateLimit: null })
    }
    expect((await within('the upload ends', upload.answer)).status).toBe(201)
    await eventually('the export ends', () => download.received() === mebibyte)
  })

  it('does not count as a stall, however long the wait for the next byte', async () => {
    const server = await startTestServer({ idleTimeoutMs: 1500, shutdownGraceMs: 0 })
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    const { id } = startUpload(ann, 'a', 1)
    // A byte a second, but the chunks of the rest wait for much longer.
    await eventually('seconds later', async () => (await ann.job(id)).bytes >= 4)
    expect(await ann.job(id)).toMatchObject({ state: 'running' })
  })

  it('does not delay a stop', async () => {
    const ann = await shared.newCaller()
    const { id, request } = startUpload(ann, 'a', 1)
    const answer = answerOf(request)
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    const receipt = await ann.post(`/jobs/${id}/stop`)
    expect(receipt.json).toMatchObject({ cleanedUp: true })
    // The chunk that waits for the limit would take hours.
    expect(receipt.json.tookMs).toBeLessThan(15_000)
    request.destroy()
    await answer.catch(() => {})
  })

  it('is rejected unless it is a positive whole number of bytes', async () => {
    const ann = await shared.newCaller()
    const { id, request } = await holdUpload(ann, 'a')
    const wrong = [0, -1, 1.5, '5', '5M', true, [], {}, 2 ** 60]
    for (const rateLimit of wrong) {
      const answer = await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit } })
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid-request', field: 'rateLimit' } })
    }
    for (const body of ['{}', '{"rateLimit":1e999}', '{"rateLimit":NaN}', 'x', '']) {
      const headers = { 'Content-Type': 'application/json' }
      expect((await ann.call(`/jobs/${id}`, { method: 'PATCH', body, headers })).status).toBe(400)
    }
    const empty = await ann.call(`/jobs/${id}`, { method: 'PATCH', body: {} })
    expect(empty.json.message).toBe('rateLimit is missing.')
    expect(await ann.job(id)).toMatchObject({ state: 'running', rateLimit: null })
    for (const limit of ['0', '-1', '1.5', '5M', '', 'none', '1e3', String(2 ** 60)]) {
      const refused = await ann.put('b', 'x', { 'Filejobs-Rate-Limit': limit })
      expect(refused).toMatchObject({ status: 400, json: { field: 'Filejobs-Rate-Limit' } })
    }
    const read = await ann.call('/files/a', { headers: { 'Filejobs-Rate-Limit': 'x' } })
    expect([400, 404]).toContain(read.status)
    request.destroy()
  })

  it('cannot be set for an ended job, or for a job of another account', async () => {
    const ann = await shared.newCaller()
    const { id, finish, answer } = await holdUpload(ann, 'a')
    const bob = await shared.newCaller()
    expect((await bob.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 1 } })).status).toBe(404)
    finish()
    await answer
    const late = await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 1 } })
    expect(late).toMatchObject({ status: 409, json: { code: 'not-running' } })
  })

  it('given at the start applies from the first byte, for every protocol', async () => {
    const ann = await shared.newCaller()
    const headers = { 'Filejobs-Rate-Limit': 1000 }
    const created = await ann.call('/tus', {
      method: 'POST',
      headers: {
        ...headers,
        'Tus-Resumable': '1.0.0',
        'Upload-Length': 10,
        'Upload-Metadata': `filename ${Buffer.from('by-tus').toString('base64')}`,
      },
    })
    expect(await ann.job(String(created.headers['filejobs-job']))).toMatchObject({ rateLimit: 1000 })
    const id = randomUUID()
    const form = ann.open('/upload', {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'multipart/form-data; boundary=b', 'Filejobs-Job': id },
    })
    form.on('error', () => {})
    form.write('--b\r\nContent-Disposition: form-data; name="file"; filename="by-form"\r\n\r\n')
    form.write(Buffer.alloc(mebibyte))
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    expect(await ann.job(id)).toMatchObject({ rateLimit: 1000 })
    expect((await ann.job(id)).bytes).toBeLessThan(mebibyte / 2)
    form.destroy()
  })
})

describe('a rate limit for each account', () => {
  it('is shared by all of its transfers, and remains when their own limits are removed', async () => {
    const limit = 4 * mebibyte
    const server = await startTestServer({ rateLimitPerAccount: limit, jobsPerAccount: 4, shutdownGraceMs: 0 })
    onTestFinished(() => server.close())
    const [ann, bob] = [new Caller(server, await server.logIn('ann')), new Caller(server, await server.logIn('bob'))]
    const owner = { space: 'user/ann', token: ann.token }
    await placeFile(server.dataFolder, owner, 'a', new Uint8Array(128 * mebibyte))
    const jobs = [startUpload(ann, 'b', null), startUpload(ann, 'c', 64 * mebibyte), startExport(ann, 'a', null)]
    const other = startUpload(bob, 'd', null)
    for (const { id } of jobs) await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    await ann.call(`/jobs/${jobs[1]!.id}`, { method: 'PATCH', body: { rateLimit: null } })
    await untilHeld(async () => {
      const rates = await Promise.all(jobs.map(({ id }) => rateOf(ann, id, 2)))
      const sum = rates.reduce((total, rate) => total + rate, 0)
      expect(sum).toBeLessThan(limit * 1.08)
      expect(sum).toBeGreaterThan(limit * 0.7)
      for (const rate of rates) expect(rate).toBeGreaterThan(limit / 10)
    })
    await untilHeld(async () => expect(await rateOf(bob, other.id, 2)).toBeGreaterThan(limit * 0.7))
  })
})

/** Within 8 %: the test is short, the machine may be busy, and bytes pass in twenty chunks a second. */
function isNear(limit: number) {
  return (rate: number) => Math.abs(rate / limit - 1) < 0.08
}

/** A machine that stalls now and then distorts single measurements, also upwards; a wrong limit distorts all of them. */
async function untilHeld(measure: () => Promise<void>): Promise<void> {
  for (let tries = 1; tries < 6; tries++) {
    try {
      return await measure()
    } catch {}
  }
  await measure()
}

function expectRate(caller: Caller, jobId: string, limit: number): Promise<void> {
  return untilHeld(async () => expect(await rateOf(caller, jobId, 2)).toSatisfy(isNear(limit)))
}

/** An upload that runs until the test ends. */
function startUpload(caller: Caller, name: string, limit: number | null) {
  const id = randomUUID()
  const request = caller.open(`/files/${name}`, {
    method: 'PUT',
    headers: { 'Filejobs-Job': id, ...(limit === null ? {} : { 'Filejobs-Rate-Limit': limit }) },
  })
  request.on('error', () => {})
  const body = endless()
  body.pipe(request)
  onTestFinished(() => {
    body.destroy()
    request.destroy()
  })
  return { id, request }
}

function startExport(caller: Caller, name: string, limit: number | null) {
  const id = randomUUID()
  let bytes = 0
  const request = caller.open(`/files/${name}`, {
    headers: { 'Filejobs-Job': id, ...(limit === null ? {} : { 'Filejobs-Rate-Limit': limit }) },
  })
  request.on('error', () => {})
  request.on('response', (response) => {
    response.on('error', () => {})
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
  })
  request.end()
  onTestFinished(() => void request.destroy())
  return { id, request, received: () => bytes }
}
