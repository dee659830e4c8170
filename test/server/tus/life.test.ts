import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { idOf, Tus } from '../../helpers/tus.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())
const isInterrupted = async (tus: Tus, path: string) => (await tus.caller.job(idOf(path))).state === 'interrupted'
const partials = async (path: string) => {
  const names = await partialNames(shared.server.dataFolder)
  return names.filter((name) => name.startsWith(idOf(path)))
}

describe('a tus upload with a hung request', () => {
  it('is taken over by HEAD at once, which returns the offset on disk', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const held = await tus.hold(path, 0, Buffer.alloc(123_456, 'a'))
    // The one that hangs would be waited for ten minutes.
    expect(await within('the answer to HEAD', tus.offset(path), 20_000)).toBe(123_456)
    expect(await within('the end of the first', held.answer)).toMatchObject({
      status: 400,
      json: { code: 'taken-over' },
    })
    expect((await tus.patch(path, 123_456, Buffer.alloc(876_544, 'b'))).status).toBe(204)
    expect((await tus.caller.call('/files/file.bin')).body.length).toBe(1_000_000)
  })

  it('is taken over by PATCH at the current offset', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const held = await tus.hold(path, 0, Buffer.alloc(100_000, 'a'))
    expect((await tus.patch(path, 100_000, Buffer.alloc(900_000, 'b'))).status).toBe(204)
    expect((await held.answer).status).toBe(400)
    const { body } = await tus.caller.call('/files/file.bin')
    expect(body.equals(Buffer.concat([Buffer.alloc(100_000, 'a'), Buffer.alloc(900_000, 'b')]))).toBe(true)
  })

  it('is taken over by the newest of several requests, and never mixes their bytes', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 2_000_000 })
    const chunks = Array.from({ length: 8 }, (_, index) => Buffer.alloc(2_000_000, String(index)))
    const answers = await Promise.all(
      chunks.map((chunk) => tus.patch(path, 0, chunk).catch((error: Error) => ({ status: error.message }))),
    )
    const published = await tus.caller.call('/files/file.bin')
    const succeeded = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []))
    expect(succeeded.length).toBeLessThanOrEqual(1)
    if (succeeded.length === 1) expect(published.body.equals(chunks[succeeded[0]!]!)).toBe(true)
    else if (published.status === 200) expect(chunks.some((chunk) => chunk.equals(published.body))).toBe(true)
    else expect(published.status).toBe(404)
  })

  it('is stopped by DELETE: the hung request is answered 410 job-stopped, not 204', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const held = await tus.hold(path, 0, 'abc')
    expect((await tus.remove(path)).status).toBe(204)
    const answer = await within('the sender has its answer', held.answer)
    expect(answer).toMatchObject({ status: 410, json: { code: 'job-stopped', status: 410 } })
    expect(answer.json.job).toMatchObject({ state: 'stopped', id: idOf(path) })
    expect(await partials(path)).toEqual([])
  })
})

describe('a stop of a tus upload', () => {
  it('by POST /jobs/ID/stop is answered when nothing is left, and the client gets 410', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const held = await tus.hold(path, 0, Buffer.alloc(50_000))
    const { status, json: receipt } = await tus.caller.post(`/jobs/${idOf(path)}/stop`)
    expect(status).toBe(200)
    expect(receipt).toMatchObject({ cleanedUp: true, bytesDiscarded: 50_000, job: { state: 'stopped' } })
    expect(await partials(path)).toEqual([])
    expect(await held.answer).toMatchObject({ status: 410, json: { stoppedBy: receipt.stoppedBy } })
    expect((await tus.head(path)).status).toBe(423)
  })

  onlyLocal('what the test replaces is a partial on the disk', () => {
    it('whose partial cannot be removed ends it, and the receipt says so', async () => {
      const server = await startTestServer({ shutdownGraceMs: 0 })
      onTestFinished(() => server.close())
      const tus = new Tus(new Caller(server, await server.logIn('ann')))
      const path = await tus.begin({ length: 1_000_000 })
      const held = await tus.hold(path, 0, Buffer.alloc(50_000))
      const partial = join(server.dataFolder, 'partial', `${idOf(path)}.bin`)
      await rm(partial)
      await mkdir(partial)
      const { status, json } = await tus.caller.post(`/jobs/${idOf(path)}/stop`)
      await rm(partial, { recursive: true })
      expect({ status, json }).toMatchObject({ status: 200, json: { cleanedUp: false, job: { state: 'stopped' } } })
      expect(await held.answer).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
      expect(server.errors).toEqual([
        expect.stringContaining(`What the upload ${idOf(path)} left could not be removed`),
      ])
    })
  })

  it('also applies between two requests, and when interrupted; /upload/stop finds those with a slot', async () => {
    const tus = await newTus()
    const interrupted = await tus.begin({ length: 1_000_000 })
    const held = await tus.hold(interrupted, 0, 'abc')
    held.request.destroy()
    await eventually('it is interrupted', () => isInterrupted(tus, interrupted))
    const { json: receipt } = await tus.caller.post('/upload/stop')
    expect(receipt).toMatchObject({ job: { id: idOf(interrupted) }, bytesDiscarded: 3 })
    const between = await tus.begin()
    await tus.patch(between, 0, '01234')
    expect((await tus.caller.post(`/jobs/${idOf(between)}/stop`)).status).toBe(200)
    expect([...(await partials(interrupted)), ...(await partials(between))]).toEqual([])
  })

  it('is caused by revoking the session of the current request', async () => {
    const name = `leaving-${performance.now()}`.replace('.', '-')
    const staying = new Tus(new Caller(shared.server, await shared.server.logIn(name)))
    const leaving = new Tus(new Caller(shared.server, await shared.server.logIn(name)))
    const path = await staying.begin({ length: 1_000_000 })
    const held = await leaving.hold(path, 0, 'abc')
    expect((await leaving.caller.post('/auth/logout')).status).toBe(204)
    expect(await held.answer).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
    expect((await staying.caller.job(idOf(path))).state).toBe('stopped')
  })

  it('is not caused by revoking a session that only created it', async () => {
    const name = `begun-${performance.now()}`.replace('.', '-')
    const staying = new Tus(new Caller(shared.server, await shared.server.logIn(name)))
    const leaving = new Tus(new Caller(shared.server, await shared.server.logIn(name)))
    const path = await leaving.begin()
    await leaving.patch(path, 0, '01234')
    await leaving.caller.post('/auth/logout')
    expect((await staying.patch(path, 5, '56789')).status).toBe(204)
  })

  it('is caused by an admin who disables the account, also if it is interrupted', async () => {
    const name = `disabled-${performance.now()}`.replace('.', '-')
    const tus = new Tus(new Caller(shared.server, await shared.server.logIn(name)))
    const path = await tus.begin()
    await tus.patch(path, 0, '01234')
    const admin = await shared.admin()
    await admin.call(`/accounts/user:${name}`, { method: 'PATCH', body: { disabled: true } })
    await eventually('its job has ended', async () => (await admin.job(idOf(path))).state === 'stopped')
    expect(await partials(path)).toEqual([])
  })
})

describe('a tus upload over several requests', () => {
  it('is one job, whose bytes are those on disk', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    for (const offset of [0, 2, 4, 6, 8]) {
      await tus.patch(path, offset, '01')
      expect((await tus.caller.job(idOf(path))).bytes).toBe(offset + 2)
    }
    const { jobs } = (await tus.caller.call('/jobs?kind=upload')).json
    expect(jobs).toHaveLength(1)
    expect(jobs[0]).toMatchObject({ id: idOf(path), state: 'done', bytes: 10, percent: 100 })
  })

  it('is interrupted when its client disconnects, and continues when it returns', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const first = await tus.hold(path, 0, 'abc')
    expect((await tus.caller.job(idOf(path))).state).toBe('running')
    first.request.destroy()
    await eventually('it is interrupted', () => isInterrupted(tus, path))
    const second = await tus.hold(path, 3, 'def', { 'Content-Length': '999997' })
    expect((await tus.caller.job(idOf(path))).state).toBe('running')
    second.request.destroy()
    await eventually('it is interrupted again', () => isInterrupted(tus, path))
    expect(await tus.offset(path)).toBe(6)
  })

  it('is not limited again by the returning client if its limit was removed', async () => {
    const tus = await newTus()
    const limit = { 'Filejobs-Rate-Limit': '1000000000' }
    const path = await tus.begin({ length: 1_000_000, headers: limit })
    const first = await tus.hold(path, 0, 'abc')
    expect((await tus.caller.job(idOf(path))).rateLimit).toBe(1_000_000_000)
    await tus.caller.call(`/jobs/${idOf(path)}`, { method: 'PATCH', body: { rateLimit: null } })
    first.request.destroy()
    await eventually('it is interrupted', () => isInterrupted(tus, path))
    const second = await tus.hold(path, 3, 'def', { 'Content-Length': '999997', ...limit })
    expect(await tus.caller.job(idOf(path))).toMatchObject({ state: 'running', rateLimit: null })
    second.request.destroy()
  })

  it('stays paused when its client disconnects and returns', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const first = await tus.hold(path, 0, 'abc')
    expect((await tus.caller.post(`/jobs/${idOf(path)}/pause`)).status).toBe(200)
    first.request.destroy()
    expect(await tus.offset(path)).toBe(3)
    await eventually('it is interrupted', () => isInterrupted(tus, path))
    const second = tus.patch(path, 3, Buffer.alloc(999_997))
    await eventually('it is paused', async () => (await tus.caller.job(idOf(path))).state === 'paused')
    expect((await tus.caller.job(idOf(path))).bytes).toBe(3)
    await tus.caller.post(`/jobs/${idOf(path)}/resume`)
    expect((await second).status).toBe(204)
  })
  it('that was paused and interrupted can be resumed before its client returns', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const first = await tus.hold(path, 0, 'abc')
    await tus.caller.post(`/jobs/${idOf(path)}/pause`)
    first.request.destroy()
    await tus.head(path)
    expect((await tus.caller.post(`/jobs/${idOf(path)}/resume`)).status).toBe(200)
    expect((await tus.patch(path, 3, Buffer.alloc(999_997))).status).toBe(204)
  })
})
