import { spawnSync } from 'node:child_process'
import { rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller, holdUpload } from '../helpers/calls.js'
import { startTestServer } from '../helpers/server.js'
import { canMount, fillDisk, mountSmallDisk, startOnSmallDisk } from '../helpers/small-disk.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const MiB = 1024 ** 2
const diskFull = { status: 507, json: { code: 'disk-full', message: expect.stringMatching(/disk/) } }

describe.skipIf(!canMount)('on a full disk', () => {
  it('logins, stops, revocations and removals succeed, and requests that need space get 507', async () => {
    const { ann, fill, free } = await startOnSmallDisk()
    await ann.put('a', Buffer.alloc(4 * MiB))
    const { id: shared } = (await ann.post('/shares', { filename: 'a', expiresIn: 3600 })).json
    const held = await holdUpload(ann, 'held', { size: 3 * MiB })
    await fill()
    for (let round = 0; round < 3; round++) {
      const login = await ann.post('/auth/login', { username: 'ann', password: 'correct horse' })
      expect(login.status).toBe(200)
      expect((await new Caller(ann, login.json.token).post('/auth/logout')).status).toBeLessThan(300)
      // What logins leave of the reserve goes to nothing else.
      for (const [path, body] of Object.entries({
        '/auth/signup': { username: `late${round}`, password: 'correct horse' },
        '/shares': { filename: 'a', expiresIn: 3600 },
        '/files/a/move': { to: `b${round}` },
      })) {
        const answer = await ann.post(path, body)
        expect(answer, path).toMatchObject(diskFull)
        expect(answer.json.message).not.toMatch(/\.json/)
      }
    }
    expect((await ann.post(`/jobs/${held.id}/stop`)).status).toBe(200)
    await held.answer.catch(() => {})
    await fill()
    expect((await ann.call(`/shares/${shared}`, { method: 'DELETE' })).status).toBe(204)
    expect((await ann.call('/files/a')).status).toBe(200)
    expect((await ann.call('/files/a', { method: 'DELETE' })).status).toBe(204)
    expect((await ann.put('small', 'x')).status).toBe(201)
    await free()
    expect((await ann.post('/files/small/move', { to: 'moved' })).status).toBe(204)
    expect((await ann.post('/auth/signup', { username: 'late', password: 'correct horse' })).status).toBe(201)
    expect((await ann.call('/jobs?state=stopped')).json.jobs).toHaveLength(1)
  })

  it('a server starts, and has the recorded outcomes of jobs', async () => {
    const folder = await mountSmallDisk()
    const dataFolder = join(folder, 'data')
    const first = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    const token = await first.logIn('ann')
    const ann = new Caller(first, token)
    const held = await holdUpload(ann, 'held', { size: MiB })
    await fillDisk(folder)
    expect((await ann.post(`/jobs/${held.id}/stop`)).status).toBe(200)
    await held.answer.catch(() => {})
    await fillDisk(folder)
    await first.close()
    expect(first.errors).toEqual([])
    const second = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    onTestFinished(() => second.close())
    expect(await new Caller(second, token).job(held.id)).toMatchObject({ state: 'stopped' })
    expect(second.errors).toEqual([])
  })

  it('readiness and the metric of free space report it', async () => {
    const { ann, fill, free } = await startOnSmallDisk()
    const freeBytes = async () => {
      const { body } = await ann.call('/metrics')
      return Number(/^filejobs_disk_free_bytes (\S+)$/m.exec(body.toString())?.[1])
    }
    expect(await ann.call('/readyz')).toMatchObject({ status: 200, json: { status: 'ready' } })
    expect(await freeBytes()).toBeGreaterThan(10 * MiB)
    await fill()
    expect(await ann.call('/readyz')).toMatchObject({ status: 503, json: { status: 'disk full' } })
    expect(await freeBytes()).toBe(0)
    expect((await ann.call('/healthz')).status).toBe(200)
    await free()
    expect((await ann.call('/readyz')).status).toBe(200)
  })

  it('space freed before a 507 is available once the response has been read', async () => {
    const { ann, folder } = await startOnSmallDisk()
    const freeBytes = async () => {
      const { bavail, bsize } = await statfs(folder)
      return bavail * bsize
    }
    const before = await freeBytes()
    for (let round = 0; round < 5; round++) {
      const request = ann.open('/files/large', { method: 'PUT', headers: { 'Transfer-Encoding': 'chunked' } })
      const status = new Promise((resolve) => {
        request.on('response', (answer) => resolve(answer.statusCode)).on('error', () => {})
      })
      const chunk = Buffer.alloc(MiB)
      for (let sent = 0; sent < 30; sent++) request.write(chunk)
      request.end()
      expect(await status).toBe(507)
      expect(before - (await freeBytes())).toBeLessThan(MiB)
      expect((await ann.put('small', 'abc')).status).toBeLessThan(300)
    }
  })
})

describe('GET /readyz', () => {
  it('is 503 while the data folder is missing or replaced by another one', async () => {
    const dataFolder = join(await temporaryFolder(), 'data')
    const server = await startTestServer({ dataFolder })
    onTestFinished(() => server.close())
    const anyone = new Caller(server, '')
    await rename(dataFolder, `${dataFolder}-gone`)
    expect(await anyone.call('/readyz')).toMatchObject({ status: 503, json: { status: 'data folder missing' } })
    expect((await anyone.call('/metrics')).body.toString()).toMatch(/^filejobs_disk_free_bytes Nan$/im)
    await spawn('cp', '-a', `${dataFolder}-gone`, dataFolder)
    expect(await anyone.call('/readyz')).toMatchObject({ status: 503, json: { status: 'data folder replaced' } })
    await rm(dataFolder, { recursive: true })
    await rename(`${dataFolder}-gone`, dataFolder)
    expect(await anyone.call('/readyz')).toMatchObject({ status: 200, json: { status: 'ready' } })
  })

  it.skipIf(!canMount)('is 503 while the disk is read-only', async () => {
    const { ann, folder } = await startOnSmallDisk()
    // Seen through another mount, because the disk itself is in use.
    await spawn('mount', '--bind', folder, folder)
    onTestFinished(() => void spawnSync('umount', ['-l', folder]))
    await spawn('mount', '-o', 'remount,bind,ro', folder)
    const answer = await ann.call('/readyz')
    await spawn('mount', '-o', 'remount,bind,rw', folder)
    expect(answer).toMatchObject({ status: 503, json: { status: 'data folder read-only' } })
    expect((await ann.call('/readyz')).status).toBe(200)
  })
})

async function spawn(command: string, ...args: string[]): Promise<void> {
  expect(spawnSync(command, args).status, command).toBe(0)
}
