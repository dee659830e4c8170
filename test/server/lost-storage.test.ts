import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { asNobodyInstead } from '../helpers/as-nobody.js'
import { Caller } from '../helpers/calls.js'
import { startTestServer } from '../helpers/server.js'
import { canMount, fillDisk, startOnSmallDisk } from '../helpers/small-disk.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const unavailable = { status: 503, json: { code: 'storage-unavailable' } }
const credentials = { username: 'ann', password: 'correct horse' }

async function start() {
  const dataFolder = join(await temporaryFolder(), 'data')
  const server = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
  onTestFinished(() => server.close())
  const ann = new Caller(server, await server.logIn('ann'))
  await ann.put('a', 'abc')
  return { dataFolder, server, ann }
}

/** Requests that write, read or list. */
const requests = {
  'GET /files': (ann: Caller) => ann.call('/files'),
  'GET /files/a': (ann: Caller) => ann.call('/files/a'),
  'PUT /files/b': (ann: Caller) => ann.put('b', 'x'),
  'DELETE /files/a': (ann: Caller) => ann.call('/files/a', { method: 'DELETE' }),
  'POST /files/a/move': (ann: Caller) => ann.post('/files/a/move', { to: 'c' }),
  'GET /tables': (ann: Caller) => ann.call('/tables'),
  'GET /tables/t/rows': (ann: Caller) => ann.call('/tables/t/rows'),
  'POST /auth/login': (ann: Caller) => ann.post('/auth/login', credentials),
  'POST /auth/signup': (ann: Caller) => ann.post('/auth/signup', { ...credentials, username: 'bob' }),
}

describe('an unavailable data folder', () => {
  it('is reported if missing or replaced, and nothing is written in its place', async () => {
    const { dataFolder, server, ann } = await start()
    await rename(dataFolder, `${dataFolder}-gone`)
    for (const isReplaced of [false, true]) {
      if (isReplaced) await mkdir(dataFolder)
      for (const [what, request] of Object.entries(requests))
        expect(await request(ann), what).toMatchObject(unavailable)
      const me = await ann.call('/auth/me')
      expect(me).toMatchObject({ status: 200, json: { account: 'user:ann', space: null } })
      const metrics = String((await ann.call('/metrics')).body)
      expect(metrics).toMatch(/^filejobs_stored_bytes Nan$/im)
    }
    expect(await readdir(dataFolder)).toEqual([])
    expect(server.errors.join()).toMatch(/data folder|ENOENT|another folder/)
    await rmdir(dataFolder)
    await rename(`${dataFolder}-gone`, dataFolder)
    expect((await ann.call('/files/a')).body.toString()).toBe('abc')
    expect((await ann.put('b', 'x')).status).toBe(201)
    expect((await ann.post('/auth/login', credentials)).status).toBe(200)
  })

  it.skipIf(!canMount)('is reported if read-only, and its files can still be read', async () => {
    const { ann, dataFolder } = await start()
    spawnSync('mount', ['--bind', dataFolder, dataFolder])
    onTestFinished(() => void spawnSync('umount', ['-l', dataFolder]))
    expect(spawnSync('mount', ['-o', 'remount,bind,ro', dataFolder]).status).toBe(0)
    const { 'GET /files': list, 'GET /files/a': get, 'GET /tables': _, 'GET /tables/t/rows': __, ...writing } = requests
    for (const [what, request] of Object.entries(writing)) expect(await request(ann), what).toMatchObject(unavailable)
    expect((await list(ann)).json.files).toHaveLength(1)
    expect((await get(ann)).status).toBe(200)
    expect(spawnSync('mount', ['-o', 'remount,bind,rw', dataFolder]).status).toBe(0)
    expect((await ann.put('b', 'x')).status).toBe(201)
  })
})

it('a file that the server cannot read is rejected with the reason', async () => {
  const { ann, dataFolder } = await start()
  await chmod(join(dataFolder, 'uploads/user/ann/a'), 0)
  for (const path of ['/files/a', '/files/b']) {
    const answer = await asNobodyInstead(() => ann.call(path))
    expect(answer).toMatchObject({ status: 500, json: { code: 'not-accessible', message: /owner or the mode/ } })
  }
})

it.skipIf(!canMount)(
  'without its reserve file, a login on a full disk is 507, and the file is recreated later',
  async () => {
    const { ann, folder, free } = await startOnSmallDisk()
    await rm(join(folder, 'data/reserve'))
    await fillDisk(folder)
    expect(await ann.post('/auth/login', credentials)).toMatchObject({ status: 507, json: { code: 'disk-full' } })
    await free()
    // Refilled behind the next write that meets a full disk.
    expect((await ann.post('/auth/login', credentials)).status).toBe(200)
    await fillDisk(folder)
    expect((await ann.post('/auth/login', credentials)).status).toBe(507)
    await free()
  },
)
