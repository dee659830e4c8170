import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { answerOf, type Caller, type CallOptions } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { idOf, sha256Of, Tus } from '../helpers/tus.js'
import { hasCluster, startCluster, type TestCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('an upload by tus whose requests go to several servers', () => {
  it('is continued by each of them, and has the right digest', async () => {
    const { cluster, tus } = await open(3)
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251))
    const path = await tus[0]!.begin({ name: 'a.bin', length: content.length })
    let offset = 0
    for (let request = 1; offset < content.length; request++) {
      const { status, headers } = await tus[request % 3]!.patch(path, offset, content.subarray(offset, offset + 31_000))
      expect(status).toBe(204)
      offset = Number(headers['upload-offset'])
      if (offset < content.length) expect(await tus[(request + 1) % 3]!.offset(path)).toBe(offset)
    }
    const { headers, body } = await tus[2]!.caller.call('/files/a.bin')
    expect(sha256Of(body)).toBe(sha256Of(content))
    expect(headers['repr-digest']).toBeDefined()
    for (const each of tus) expect(await each.offset(path)).toBe(content.length)
    await nothingIsLeft(cluster)
  })

  it('tells the exact offset on one server while a request to another one hangs, which then ends', async () => {
    const { tus } = await open(2)
    const path = await tus[0]!.begin({ length: 1_000_000 })
    const held = await tus[0]!.hold(path, 0, Buffer.alloc(12_345))
    expect(await tus[1]!.offset(path)).toBe(12_345)
    expect((await held.answer).json).toMatchObject({ code: 'taken-over' })
    expect((await tus[1]!.patch(path, 12_345, Buffer.alloc(1_000_000 - 12_345))).status).toBe(204)
    expect(await tus[0]!.caller.job(idOf(path))).toMatchObject({ state: 'done', bytes: 1_000_000 })
  })

  it('never tells a client to begin again because the upload is just going to another server', async () => {
    const { tus } = await open(2)
    const path = await tus[0]!.begin({ length: 10_000_000 })
    for (let offset = 0, round = 0; round < 6; round++) {
      const held = await tus[0]!.hold(path, offset, Buffer.alloc(200_000))
      const moving = tus[1]!.head(path)
      let hasMoved = false
      void moving.then(() => {
        hasMoved = true
      })
      const askAgainAndAgain = async () => {
        // After any other 4xx clients begin a new upload.
        while (!hasMoved) expect([200, 423]).toContain((await tus[0]!.head(path)).status)
      }
      await Promise.all(Array.from({ length: 10 }, askAgainAndAgain))
      expect([200, 423]).toContain((await moving).status)
      expect((await held.answer).json).toMatchObject({ code: 'taken-over' })
      offset = await tus[0]!.offset(path)
      expect(offset).toBe((round + 1) * 200_000)
    }
  })

  it('is a job that has all bytes that a server has acknowledged, on all servers at once', async () => {
    const { tus } = await open(2)
    const path = await tus[0]!.begin({ length: 50 })
    for (let offset = 0; offset < 48; offset += 2) {
      await tus[0]!.patch(path, offset, '01')
      expect(await tus[1]!.caller.job(idOf(path))).toMatchObject({ bytes: offset + 2, percent: (offset + 2) * 2 })
      const { json } = await tus[1]!.caller.call('/jobs')
      expect(json.jobs[0]).toMatchObject({ id: idOf(path), bytes: offset + 2 })
    }
  })

  it('tells a request that hangs on one server of a stop by DELETE on another one', async () => {
    const { cluster, tus } = await open(2)
    const path = await tus[0]!.begin({ length: 1_000_000 })
    const held = await tus[0]!.hold(path, 0, 'abc')
    expect((await tus[1]!.remove(path)).status).toBe(204)
    expect(await held.answer).toMatchObject({ status: 410, json: { code: 'job-stopped', stoppedBy: 'user:ann' } })
    expect((await tus[0]!.remove(path)).json).toMatchObject({ code: 'job-stopped' })
    const published = await tus[0]!.begin({ length: 3 })
    await tus[0]!.patch(published, 0, 'abc')
    expect((await tus[1]!.remove(published)).json).toMatchObject({ code: 'already-published' })
    await nothingIsLeft(cluster)
  })

  it('is ended by a stop of all uploads on another one while it waits to continue', async () => {
    const { cluster, tus } = await open(2)
    const path = await tus[0]!.begin()
    await tus[0]!.patch(path, 0, '01234')
    const other = await tus[1]!.begin({ name: 'other', length: 1_000_000 })
    const held = await tus[1]!.hold(other, 0, 'x')
    const waiting = tus[0]!.patch(path, 5, '56789')
    const sql = cluster.database.connect(1)
    await eventually('it waits', async () => (await sql`select from jobs where is_waiting`).length === 1)
    const { json } = await tus[1]!.caller.post('/upload/stop')
    expect(json.receipts.map((receipt: { job: { id: string } }) => receipt.job.id)).toEqual([idOf(other), idOf(path)])
    for (const answer of [waiting, held.answer]) {
      expect(await answer).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
    }
  })

  it('is known to all of them as complete if one of them had a file with its digest', async () => {
    const { tus } = await open(2)
    await tus[0]!.caller.put('there', '0123456789')
    const creation = { name: 'there', metadata: { sha256: sha256Of('0123456789') } }
    const path = await tus[0]!.begin(creation)
    expect(await tus[1]!.offset(path)).toBe(10)
    expect(await tus[1]!.patch(path, 0, '0123456789')).toMatchObject({ status: 409, json: { offset: 10 } })
    expect(await tus[1]!.caller.job(idOf(path))).toMatchObject({ state: 'done', bytes: 10, percent: 100 })
    const again = { ...creation, headers: { 'Filejobs-Job': idOf(path) } }
    expect(await tus[1]!.create(again)).toMatchObject({ status: 201, headers: { 'upload-offset': '10' } })
  })

  it('loses no byte that was told when its server is killed', async () => {
    const { cluster, tus } = await open(2)
    const content = Buffer.alloc(200_000, 'abc')
    const path = await tus[0]!.begin({ name: 'a.bin', length: content.length })
    await tus[0]!.patch(path, 0, content.subarray(0, 70_000))
    await tus[0]!.hold(path, 70_000, content.subarray(70_000, 90_000), { 'Content-Length': '130000' })
    cluster.servers[0]!.child.kill('SIGKILL')
    const offset = await tus[1]!.offset(path)
    expect(offset).toBeGreaterThanOrEqual(70_000)
    expect((await tus[1]!.patch(path, offset, content.subarray(offset))).status).toBe(204)
    expect((await tus[1]!.caller.call('/files/a.bin')).body.equals(content)).toBe(true)
    await nothingIsLeft(cluster)
  })

  it('is not answered for from the memory of a server that was suspended, while another one continued it', async () => {
    const { cluster, tus } = await open(2)
    const content = Buffer.alloc(3000, 'abc')
    const path = await tus[0]!.begin({ name: 'a.bin', length: content.length })
    await tus[0]!.patch(path, 0, content.subarray(0, 1000))
    const { child } = cluster.servers[0]!
    child.kill('SIGSTOP')
    expect(await tus[1]!.offset(path)).toBe(1000)
    expect((await tus[1]!.patch(path, 1000, content.subarray(1000, 2000))).status).toBe(204)
    // It has arrived before the timers of the woken server.
    const { answer } = await sent(tus[0]!.caller, path, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } })
    child.kill('SIGCONT')
    const head = await answer
    expect([head.status, head.headers['upload-offset']]).toEqual([200, '2000'])
    expect((await tus[0]!.patch(path, 2000, content.subarray(2000))).status).toBe(204)
    expect((await tus[1]!.caller.call('/files/a.bin')).body.equals(content)).toBe(true)
    await nothingIsLeft(cluster)
  })

  it('keeps its pause and its limit', async () => {
    const { tus } = await open(2)
    const path = await tus[0]!.begin({ length: 10 })
    const id = idOf(path)
    const held = await tus[0]!.hold(path, 0, 'abc', { 'Content-Length': '10' })
    await tus[1]!.caller.post(`/jobs/${id}/pause`)
    await tus[1]!.caller.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 5 } })
    expect(await tus[1]!.offset(path)).toBe(3)
    await held.answer
    const paused = tus[1]!.patch(path, 3, 'defghij')
    await eventually('it is paused', async () => (await tus[0]!.caller.job(id)).state === 'paused')
    expect(await tus[0]!.caller.job(id)).toMatchObject({ bytes: 3, rateLimit: 5 })
    await tus[0]!.caller.post(`/jobs/${id}/resume`)
    expect((await paused).status).toBe(204)
  })

  it('is stopped from any of them, and unknown to other accounts', async () => {
    const { cluster, tus } = await open(2)
    const [bob] = await cluster.logIn('bob')
    const path = await tus[0]!.begin({ length: 10 })
    await tus[0]!.patch(path, 0, 'abc')
    expect((await new Tus(bob!).head(path)).status).toBe(404)
    expect((await tus[1]!.remove(path)).status).toBe(204)
    expect((await tus[0]!.head(path)).status).toBe(423)
    expect((await tus[0]!.patch(path, 3, 'd')).json).toMatchObject({ code: 'job-stopped' })
    await nothingIsLeft(cluster)
  })

  it('continues after the end of its server', async () => {
    const { cluster, tus } = await open(2)
    const path = await tus[0]!.begin({ name: 'a', length: 6 })
    await tus[0]!.patch(path, 0, 'abc')
    cluster.servers[0]!.child.kill('SIGTERM')
    await cluster.servers[0]!.ended()
    expect((await tus[1]!.caller.call('/jobs')).json.jobs).toMatchObject([
      { id: idOf(path), state: 'interrupted', bytes: 3 },
    ])
    expect((await tus[1]!.patch(path, 3, 'def')).status).toBe(204)
    expect(String((await tus[1]!.caller.call('/files/a')).body)).toBe('abcdef')
  })

  it('of which one account has several takes turns with the others', async () => {
    const { tus } = await open(2)
    const all = await Promise.all([1, 2, 3, 4].map((n) => tus[n % 2]!.begin({ name: `${n}`, length: 50 })))
    await Promise.all(
      all.map(async (path) => {
        for (let offset = 0; offset < 50; offset += 10) {
          expect((await tus[(offset / 10) % 2]!.patch(path, offset, '0123456789')).status).toBe(204)
        }
      }),
    )
    expect(await tus[0]!.caller.names()).toEqual(['1', '2', '3', '4'])
  })
})

/** A request without a body that a server has received, though it may not read it yet. */
async function sent(caller: Caller, path: string, options: CallOptions) {
  const request = caller.open(path, options)
  const answer = answerOf(request)
  request.end()
  await once(request, 'finish')
  return { answer }
}

async function open(count: number): Promise<{ cluster: TestCluster; tus: Tus[] }> {
  const cluster = await startCluster(count)
  return { cluster, tus: (await cluster.logIn('ann')).map((caller: Caller) => new Tus(caller)) }
}

async function nothingIsLeft({ database }: TestCluster): Promise<void> {
  const sql = database.connect(1)
  await eventually('nothing is left', async () => {
    const [rows] = await sql`
      select (select count(*) from partials)::int as partials,
        (select count(*) from objects where state in ('pending', 'stored'))::int as objects`
    return rows!.partials + rows!.objects === 0
  })
}
