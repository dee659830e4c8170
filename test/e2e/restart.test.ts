import { createHash, randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Caller, holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { onlyLocal } from '../helpers/only-local.js'
import { openClient } from '../helpers/program.js'
import { type ServeProcess, startServe } from '../helpers/serve.js'
import { partialBytes, partialNames, resumeState, storedHistory } from '../helpers/stored-state.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { idOf, reprDigestOf, Tus } from '../helpers/tus.js'

async function logIn(server: { url: string }, username = 'ann'): Promise<Tus> {
  const caller = new Caller(server, '')
  const { json } = await caller.call('/auth/signup', { method: 'POST', body: { username, password: 'correct horse' } })
  return new Tus(new Caller(server, json.token))
}

/** Ends it without a chance to tidy up. */
async function kill(server: ServeProcess): Promise<void> {
  server.child.kill('SIGKILL')
  await server.ended()
}

const again = (server: ServeProcess, args: string[] = []) => startServe({ dataFolder: server.dataFolder, args })
const inPartial = (server: ServeProcess) => partialNames(server.dataFolder)

async function untilOnDisk(server: ServeProcess, path: string, bytes: number): Promise<void> {
  const stored = () => partialBytes(server.dataFolder, idOf(path))
  await eventually(`${bytes} bytes are in the partial`, async () => (await stored()) >= bytes)
}

/** The history is written soon, not at once. */
async function untilNoted(server: ServeProcess, words: string): Promise<void> {
  await eventually(`${words} is in the history`, async () => (await storedHistory(server.dataFolder)).includes(words))
}

describe('after a server is killed,', () => {
  it('an upload interrupted within a chunk resumes from the bytes on disk, as the same job', async () => {
    const content = randomBytes(24 * 1024 ** 2)
    const first = await startServe()
    const tus = await logIn(first)
    const path = await tus.begin({ length: content.length })
    await tus.patch(path, 0, content.subarray(0, 1000))
    const held = await tus.hold(path, 1000, content.subarray(1000, 12 * 1024 ** 2), {
      'Content-Length': String(content.length - 1000),
    })
    await untilOnDisk(first, path, 8 * 1024 ** 2)
    await kill(first)
    await expect(held.answer).rejects.toThrow()

    const second = await again(first)
    const back = await logIn(second)
    expect(await back.caller.job(idOf(path))).toMatchObject({ state: 'interrupted', totalBytes: content.length })
    const offset = await back.offset(path)
    expect(offset).toBeGreaterThanOrEqual(8 * 1024 ** 2)
    expect((await back.caller.job(idOf(path))).bytes).toBe(offset)
    const digest = { 'Repr-Digest': reprDigestOf(content) }
    expect(await back.patch(path, offset, content.subarray(offset), digest)).toMatchObject({ status: 204 })
    const { body } = await back.caller.call('/files/file.bin')
    expect(createHash('sha256').update(body).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
    expect(await inPartial(second)).toEqual([])
    const { jobs } = (await back.caller.call('/jobs?kind=upload')).json
    expect(jobs).toHaveLength(1)
    expect(jobs[0]).toMatchObject({ id: idOf(path), state: 'done' })
  })

  it('tus uploads that were only created, or waited for the slot, are kept for their clients', async () => {
    const first = await startServe()
    const tus = await logIn(first)
    const running = await holdUpload(tus.caller, 'running')
    const [created, waiting] = [await tus.begin({ name: 'created' }), await tus.begin({ name: 'waiting' })]
    const answer = tus.patch(waiting, 0, '0123456789')
    answer.catch(() => {})
    const stopped = await tus.begin({ name: 'stopped' })
    expect((await tus.caller.post(`/jobs/${idOf(stopped)}/stop`)).status).toBe(200)
    await untilNoted(first, idOf(stopped))
    await kill(first)
    await expect(answer).rejects.toThrow()
    await expect(running.answer).rejects.toThrow()

    const second = await again(first)
    const back = await logIn(second)
    await eventually('only theirs is left', async () => (await inPartial(second)).length === 4)
    for (const path of [created, waiting]) {
      expect(await back.caller.job(idOf(path))).toMatchObject({ state: 'interrupted', bytes: 0 })
      expect((await back.head(path)).headers).toMatchObject({ 'upload-offset': '0', 'upload-length': '10' })
      expect((await back.patch(path, 0, '0123456789')).status).toBe(204)
    }
    expect(await inPartial(second)).toEqual([])
    expect(await back.caller.names()).toEqual(['created', 'waiting'])
  })

  it('an upload that regained its slot, and one that waits for it, can be resumed', async () => {
    const first = await startServe()
    const tus = await logIn(first)
    const path = await tus.begin({ name: 'again', length: 1000 })
    await tus.patch(path, 0, 'a'.repeat(100))
    const other = await tus.begin({ name: 'other', length: 1000 })
    const before = await tus.hold(other, 0, 'c'.repeat(100), { 'Content-Length': '1000' })
    expect(await tus.caller.job(idOf(path))).toMatchObject({ state: 'interrupted', bytes: 100 })
    before.request.destroy()
    await expect(before.answer).rejects.toThrow()
    expect(await tus.offset(other)).toBe(100)
    const held = await tus.hold(path, 100, 'b'.repeat(100), { 'Content-Length': '900' })
    const waiting = tus.patch(other, 100, 'd'.repeat(900))
    waiting.catch(() => {})
    expect(await tus.caller.job(idOf(other))).toMatchObject({ state: 'interrupted', bytes: 100 })
    await kill(first)
    await expect(held.answer).rejects.toThrow()
    await expect(waiting).rejects.toThrow()

    const second = await again(first)
    const back = await logIn(second)
    for (const [upload, name, begins, ends] of [
      [path, 'again', 'a', 'b'],
      [other, 'other', 'c', 'd'],
    ] as const) {
      expect(await back.caller.job(idOf(upload))).toMatchObject({ state: 'interrupted' })
      const content = begins.repeat(100) + ends.repeat(900)
      const offset = await back.offset(upload)
      expect(offset).toBeGreaterThanOrEqual(100)
      expect((await back.patch(upload, offset, content.slice(offset))).status).toBe(204)
      expect((await back.caller.call(`/files/${name}`)).body.toString()).toBe(content)
    }
    expect(await inPartial(second)).toEqual([])
    expect((await back.caller.call('/jobs?kind=upload')).json.jobs).toHaveLength(2)
  })

  it('a paused upload stays paused, and a limited one limited, until that is changed', async () => {
    const isKept = (server: ServeProcess, path: string, words: string) =>
      eventually(`${words} is in the note`, async () =>
        (await resumeState(server.dataFolder, idOf(path))).includes(words),
      )
    const change = (tus: Tus, path: string, rateLimit: number | null) =>
      tus.caller.call(`/jobs/${idOf(path)}`, { method: 'PATCH', body: { rateLimit } })
    const first = await startServe()
    const tus = await logIn(first)
    const path = await tus.begin({ length: 1000 })
    await tus.patch(path, 0, 'abc')
    const held = await tus.hold(path, 3, 'd', { 'Content-Length': '997' })
    await change(tus, path, 5_000_000)
    await tus.caller.post(`/jobs/${idOf(path)}/pause`)
    await isKept(first, path, '"paused":true,"rateLimit":5000000')
    await kill(first)
    await expect(held.answer).rejects.toThrow()

    const second = await again(first)
    const back = await logIn(second)
    const job = () => back.caller.job(idOf(path))
    expect(await job()).toMatchObject({ state: 'interrupted', rateLimit: 5_000_000 })
    expect(await back.offset(path)).toBe(3)
    const rest = back.patch(path, 3, Buffer.alloc(997))
    rest.catch(() => {})
    await eventually('it is paused again', async () => (await job()).state === 'paused')
    expect((await job()).bytes).toBe(3)
    await kill(second)
    await expect(rest).rejects.toThrow()

    const third = await again(second)
    const last = await logIn(third)
    expect((await last.caller.post(`/jobs/${idOf(path)}/resume`)).status).toBe(200)
    await change(last, path, null)
    await isKept(third, path, '"paused":false,"rateLimit":null')
    expect((await last.patch(path, 3, Buffer.alloc(997))).status).toBe(204)
  })

  onlyLocal('what the test writes is a partial on the disk', () => {
    it('an upload with all bytes received but not published requests the last byte again', async () => {
      const first = await startServe()
      const tus = await logIn(first)
      const path = await tus.begin({ length: 10 })
      await tus.patch(path, 0, '012345678')
      await kill(first)
      await writeFile(join(first.dataFolder, 'partial', `${idOf(path)}.bin`), '0123456789')
      const back = await logIn(await again(first))
      expect(await back.offset(path)).toBe(9)
      expect((await back.patch(path, 9, '9')).status).toBe(204)
      expect((await back.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
    })
  })

  it('bytes with an unverified checksum are discarded', async () => {
    const first = await startServe()
    const tus = await logIn(first)
    const length = 12 * 1024 ** 2
    const path = await tus.begin({ length })
    await tus.patch(path, 0, '01234')
    const checksum = `sha1 ${Buffer.alloc(20).toString('base64')}`
    const headers = { 'Content-Length': String(length - 5), 'Upload-Checksum': checksum }
    await tus.hold(path, 5, Buffer.alloc(10 * 1024 ** 2), headers)
    await untilOnDisk(first, path, 8 * 1024 ** 2)
    await kill(first)
    expect(await (await logIn(await again(first))).offset(path)).toBe(5)
  })

  it('a job that cannot be resumed is recorded as failed, and its data is removed', async () => {
    const first = await startServe()
    const tus = await logIn(first)
    const held = await holdUpload(tus.caller, 'put', { size: 1000 })
    await untilNoted(first, held.id)
    const waiting = tus.caller.put('waits', 'x', { Prefer: 'wait=600' })
    waiting.catch(() => {})
    const { id } = await tus.caller.findJob('state=waiting')
    await untilNoted(first, id)
    const { startedAt } = await tus.caller.job(held.id)
    await kill(first)
    await expect(held.answer).rejects.toThrow()
    await expect(waiting).rejects.toThrow()
    expect(await inPartial(first)).toEqual([`${held.id}.bin`])
    const second = await again(first)
    await eventually('its bytes are removed', async () => (await inPartial(second)).length === 0)
    const { caller } = await logIn(second)
    const failed = { state: 'failed', error: { code: 'shutting-down' } }
    expect(await caller.job(held.id)).toMatchObject({ ...failed, startedAt })
    expect(await caller.job(id)).toMatchObject({ ...failed, startedAt: null, bytes: 0 })
  })

  onlyLocal('what the test writes is a partial on the disk', () => {
    it('a job that failed has the bytes of its partial', async () => {
      const first = await startServe()
      const tus = await logIn(first)
      const held = await holdUpload(tus.caller, 'put', { size: 1000 })
      await untilNoted(first, held.id)
      await kill(first)
      await expect(held.answer).rejects.toThrow()
      await writeFile(join(first.dataFolder, 'partial', `${held.id}.bin`), Buffer.alloc(250))
      const { caller } = await logIn(await again(first))
      expect(await caller.job(held.id)).toMatchObject({ state: 'failed', bytes: 250, percent: 25 })
    })
  })

  it('an expired upload is answered 410', async () => {
    const first = await startServe()
    const tus = await logIn(first)
    const path = await tus.begin()
    await tus.patch(path, 0, '01234')
    await kill(first)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const second = await again(first, ['--keep-partial', '10ms'])
    await eventually('its bytes are removed', async () => (await inPartial(second)).length === 0)
    const back = await logIn(second)
    expect(await back.head(path)).toMatchObject({ status: 410 })
    expect(await back.caller.job(idOf(path))).toMatchObject({ state: 'failed', error: { code: 'upload-gone' } })
  })

  it('the outcome of a published and of a stopped upload is still reported', async () => {
    const first = await startServe()
    const tus = await logIn(first)
    const done = await tus.begin({ name: 'done' })
    await tus.patch(done, 0, '0123456789')
    const stopped = await tus.begin({ name: 'stopped' })
    await tus.remove(stopped)
    await untilNoted(first, '"state":"stopped"')
    await kill(first)
    const back = await logIn(await again(first))
    expect((await back.head(done)).headers).toMatchObject({ 'upload-offset': '10', 'upload-length': '10' })
    expect((await back.head(stopped)).status).toBe(423)
    expect(await back.patch(stopped, 0, 'x')).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
  })
})

describe('a server that shuts down', () => {
  it('interrupts an upload at once, informs its client, and lets it resume after the next start', async () => {
    // One that waited for the sender would do so for longer than the test may take.
    const first = await startServe({ args: ['--shutdown-grace', '10m'] })
    const tus = await logIn(first)
    const path = await tus.begin({ length: 1_000_000 })
    const held = await tus.hold(path, 0, Buffer.alloc(300_000, 'a'))
    first.child.kill('SIGTERM')
    expect(await held.answer).toMatchObject({ status: 503, json: { code: 'shutting-down' } })
    await first.ended()
    const back = await logIn(await again(first))
    expect(await back.offset(path)).toBe(300_000)
    expect((await back.patch(path, 300_000, Buffer.alloc(700_000, 'b'))).status).toBe(204)
  })
})

describe('filejobs doctor', () => {
  onlyLocal('servers repair what others leave in a database', () => {
    it('reports what a crash left without changing it, and repairs it with --fix', async () => {
      const first = await startServe({ args: ['--jobs-per-account', '5'] })
      const tus = await logIn(first)
      const kept = await tus.begin({ name: 'kept.bin', length: 1000 })
      await tus.patch(kept, 0, 'x'.repeat(600))
      const lost = await holdUpload(tus.caller, 'lost.bin')
      await untilNoted(first, lost.id)
      await kill(first)
      const before = await inPartial(first)
      const client = await openClient()
      const doctor = async (...args: string[]) => {
        const { code, stdout } = await client.run(['doctor', '--data', first.dataFolder, '--json', ...args])
        expect(code).toBe(0)
        return JSON.parse(stdout)
      }
      const findings = {
        resumable: [{ id: idOf(kept), account: 'user:ann', file: 'kept.bin', bytes: 600, totalBytes: 1000 }],
        leftovers: [{ path: join(first.dataFolder, 'partial', `${lost.id}.bin`) }],
        ended: [{ id: lost.id, kind: 'upload', account: 'user:ann', file: 'lost.bin', state: 'failed' }],
      }
      expect(await doctor()).toMatchObject({ ...findings, fixed: false })
      expect(await inPartial(first)).toEqual(before)
      expect(await doctor('--fix')).toMatchObject({ ...findings, fixed: true })
      expect(await inPartial(first)).toEqual([`${idOf(kept)}.bin`, `${idOf(kept)}.json`])
      expect(await doctor()).toMatchObject({ resumable: findings.resumable, leftovers: [], ended: [], fixed: false })

      const { stdout } = await client.run(['doctor', '--data', first.dataFolder])
      expect(stdout).toMatch(/kept\.bin by user:ann: 600 B of 1000 B, until .*\nAll is in order\.\n$/)
      const second = await again(first)
      expect(await (await logIn(second)).offset(kept)).toBe(600)
      const busy = await client.run(['doctor', '--data', first.dataFolder])
      expect(busy.code).toBe(5)
      expect(busy.stderr).toContain('Another filejobs server works on this data folder')
    })
  })

  it('rejects a folder that is not a data folder, and leaves it unchanged', async () => {
    const folder = await temporaryFolder()
    const { code, stderr } = await (await openClient()).run(['doctor', '--data', folder])
    expect({ code, said: stderr.includes('is no data folder') }).toEqual({ code: 2, said: true })
    expect(await readdir(folder)).toEqual([])
  })
})
