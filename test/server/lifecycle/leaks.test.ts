import { randomUUID } from 'node:crypto'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type Answer, Caller, holdUpload } from '../../helpers/calls.js'
import { sparesOf } from '../../helpers/engines.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { adminPassword, startServe } from '../../helpers/serve.js'
import { putLarge } from '../../helpers/slow-transfers.js'
import { partialNames } from '../../helpers/stored-state.js'
import { requestImport } from '../../helpers/tables.js'
import { Tus } from '../../helpers/tus.js'
import { isCluster } from '../../run/is-cluster.js'

/** More than the transfers of one account that run side by side here. */
const jobsPerAccount = 20
const rounds = 4
/** Connections to a database and a bucket that are kept for the next requests: fewer than one round would leave behind. */
const pooled = isCluster ? 16 : 0
const form = { 'Content-Type': 'multipart/form-data; boundary=b' }
const part = '--b\r\nContent-Disposition: form-data; name="f"; filename="form"\r\n\r\n'
const wrongDigest = { 'Repr-Digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` }

describe.skipIf(process.platform !== 'linux')('a server after many transfers of each kind and end', () => {
  it('holds no file, connection, process, partial or slot of any of them', async () => {
    const server = await startServe({ args: ['--jobs-per-account', String(jobsPerAccount)] })
    const { json } = await new Caller(server, '').post('/auth/login', {
      username: 'admin',
      role: 'admin',
      password: adminPassword,
    })
    const admin = new Caller(server, json.token)
    const account = { space: 'admin/admin', token: json.token }
    // Other names for the stops: a stopped export cannot be continued by a range for a minute.
    for (const name of ['large', 'a.large', 'b.large', 'c.large']) await putLarge(server, account, name)
    await admin.put('good.csv', 'a,b\n1,x\n')
    await admin.put('bad.csv', 'a,b\n1,x\n2,y,z\n')
    const pid = server.child.pid!

    // The first round opens permanent resources, such as the engine's process.
    await moveEverything(admin, 'a')
    await moveTables(admin)
    await ended(admin)
    await eventually('an engine stands ready for each kind', async () => (await sparesOf(pid)).length === 2)
    const before = await heldBy(pid)
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        for (let round = 0; round < rounds; round++) await moveEverything(admin, name)
      }),
    )
    await moveTables(admin)
    await ended(admin)

    await eventually(`no more than ${JSON.stringify(before)}`, async () => {
      const now = await heldBy(pid)
      const areFew = now.sockets <= before.sockets + pooled && now.children <= before.children
      return areFew && now.files.length <= before.files.length
    }).catch(async (error) => {
      throw new Error(`${error.message}, but ${JSON.stringify(await heldBy(pid))}`)
    })
    expect(await partialNames(server.dataFolder)).toEqual([])
    const all = await Promise.all(Array.from({ length: jobsPerAccount }, (_, at) => holdUpload(admin, `slot-${at}`)))
    for (const { finish } of all) finish()
    expect(new Set((await Promise.all(all.map(({ answer }) => answer))).map(({ status }) => status))).toEqual(
      new Set([201]),
    )
    const complaints = /MaxListeners|garbage collection|"level":"error"/
    expect(server.stderr.split('\n').filter((line) => complaints.test(line))).toEqual([])
  })
})

/** Files by each door, and out again: each to the end, refused, stopped and cut. */
async function moveEverything(caller: Caller, name: string): Promise<void> {
  expect((await caller.put(name, 'content')).status).toBeLessThan(300)
  expect((await caller.put(name, 'content', wrongDigest)).status).toBe(422)
  expect((await caller.call(`/files/${name}`)).status).toBe(200)
  expect((await caller.call(`/files/${name}`, { headers: { Range: 'bytes=99-' } })).status).toBe(416)
  const wholeForm = `${part}x\r\n--b--\r\n`
  expect((await caller.call('/upload', { method: 'POST', headers: form, body: wholeForm })).status).toBeLessThan(300)

  const long = { 'Content-Length': 1000 }
  await cutShort(caller, [head(`PUT /files/${name}`, caller.token, long), 'x'])
  await cutShort(caller, [head('POST /upload', caller.token, { ...form, ...long }), part, 'x'])
  await cutShort(caller, [head('GET /files/large', caller.token)], /^HTTP\/1.1 20[06] /)
  await cutShort(caller, [head('GET /files/large', caller.token, { Range: 'bytes=9-' })], /^HTTP\/1.1 20[06] /)
  await cutShort(caller, [head('GET /jobs/events', caller.token)], /^HTTP\/1.1 200 /)

  const upload = await holdUpload(caller, name)
  expect(await stopped(caller, upload.id)).toBe(200)
  expect((await upload.answer).status).toBe(409)
  upload.request.destroy()
  const reader = await connectTo(caller.url)
  reader.socket.pause()
  // The same program would be refused for three seconds after a stop.
  reader.send(head(`GET /files/${name}.large`, caller.token, { 'User-Agent': randomUUID() }))
  const { id } = await caller.findJob('state=running&kind=export', ({ file }) => file === `${name}.large`)
  expect(await stopped(caller, id)).toBe(200)
  reader.socket.destroy()
  await moveByChunks(new Tus(caller), `${name}-by-chunks`)
}

async function moveByChunks(tus: Tus, name: string): Promise<void> {
  expect((await tus.create({ name, length: 3, body: 'abc' })).status).toBe(201)
  const removed = await tus.begin({ name, length: 10, body: 'abc' })
  expect((await tus.remove(removed)).status).toBe(204)
  const cut = await tus.begin({ name, length: 10 })
  const begun = await tus.hold(cut, 0, 'abc', { 'Content-Length': '10' })
  begun.request.destroy()
  await eventually('the chunk is kept', async () => (await tus.offset(cut)) === 3)
  expect((await tus.patch(cut, 3, 'defghij')).status).toBe(204)
  const held = await tus.begin({ name, length: 1_000_000 })
  const chunk = await tus.hold(held, 0, 'abc')
  expect(await stopped(tus.caller, held.slice('/tus/'.length))).toBe(200)
  expect((await chunk.answer).status).toBe(410)
  chunk.request.destroy()
}

async function moveTables(caller: Caller): Promise<void> {
  expect((await requestImport(caller, { filename: 'good.csv', table: 't' })).status).toBe(200)
  expect((await requestImport(caller, { filename: 'bad.csv', table: 't' })).status).toBe(422)
  const { json } = await caller.post('/import', { filename: 'good.csv', table: 't' })
  expect([200, 409]).toContain(await stopped(caller, json.id))
  expect((await caller.call('/tables/t/rows', { headers: { Accept: 'text/csv' } })).status).toBe(200)
  expect((await caller.post('/query', { sql: 'SELECT count(*) FROM t' })).status).toBe(200)
  const endless = caller.post('/query', { sql: 'SELECT count(*) FROM range(1000000000000)' })
  const query = await caller.findJob('state=running&kind=query')
  expect(await stopped(caller, query.id)).toBe(200)
  expect((await endless).status).toBe(409)
}

async function stopped(caller: Caller, id: string): Promise<Answer['status']> {
  return (await caller.post(`/jobs/${id}/stop`)).status
}

/** Vanishes once it has been heard, or has said all. */
async function cutShort(caller: Caller, says: string[], heard?: RegExp): Promise<void> {
  const connection = await connectTo(caller.url)
  for (const text of says) connection.send(text)
  if (heard) await connection.says(heard)
  else await caller.call('/healthz')
  connection.reset()
}

async function ended(caller: Caller): Promise<void> {
  await eventually('all jobs have ended', async () => {
    const { json } = await caller.call('/jobs?state=running,waiting,paused,interrupted,committing')
    return json.jobs.length === 0
  })
}

async function heldBy(pid: number): Promise<{ files: string[]; sockets: number; children: number }> {
  const names = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return {
    files: targets.filter((target) => target.startsWith('/')),
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    children: children.split(' ').filter(Boolean).length,
  }
}
