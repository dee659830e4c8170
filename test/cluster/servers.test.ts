import { readdir } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Caller, holdUpload } from '../helpers/calls.js'
import { listenTo } from '../helpers/event-stream.js'
import { eventually } from '../helpers/eventually.js'
import { openFolderJob } from '../helpers/folder-jobs.js'
import { idOf, Tus } from '../helpers/tus.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('two servers on one database and bucket', () => {
  it('serve the same accounts and files', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const put = await here!.put('a/b.txt', 'content')
    expect(put.status).toBe(201)
    const got = await there!.call('/files/a/b.txt')
    expect([got.status, String(got.body)]).toEqual([200, 'content'])
    const { json } = await there!.call('/jobs')
    expect(json.jobs).toMatchObject([{ kind: 'export' }, { kind: 'upload', state: 'done' }])
  })

  it('refuse a text with a NUL, which PostgreSQL cannot store, as what a client has to change', async () => {
    const cluster = await startCluster(1)
    const [ann] = await cluster.logIn('ann')
    await ann!.put('a', 'x')
    const invalid = { status: 400, json: { code: 'invalid-request' } }
    expect(await ann!.call('/files?search=%00')).toMatchObject(invalid)
    expect(await ann!.post('/shares', { filename: 'a', expiresIn: 60, note: 'a\0' })).toMatchObject(invalid)
    const signup = { username: 'bob', password: 'correct horse', name: 'a\0' }
    expect(await ann!.post('/auth/signup', signup)).toMatchObject(invalid)
    expect((await ann!.call('/jobs')).status).toBe(200)
  })

  it('have the quota of an account that was set on the other, and count together', async () => {
    const cluster = await startCluster(2, { args: ['--jobs-per-account', '8'] })
    const [here, there] = await cluster.logIn('ann')
    const [admin] = await cluster.logInAdmin()
    const setQuota = (quota: unknown) => admin!.call('/accounts/user:ann', { method: 'PATCH', body: { quota } })
    expect((await setQuota(100)).status).toBe(200)
    const held = await holdUpload(there!, 'held', { size: 60 })
    const space = async () => (await here!.call('/auth/me')).json.space
    expect(await space()).toEqual({ used: 0, reserved: 60, quota: 100, free: 40 })
    expect(await here!.put('a', 'x'.repeat(41))).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    expect((await here!.put('a', 'x'.repeat(40))).status).toBe(201)
    await setQuota(50)
    expect(await there!.put('b', 'x')).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    held.finish()
    expect((await held.answer).status).toBe(201)
    await eventually('the space is released', async () => (await space()).reserved === 0)
    expect(await space()).toEqual({ used: 100, reserved: 0, quota: 50, free: 0 })
    await setQuota('none')
    expect((await there!.put('b', 'x'.repeat(1000))).status).toBe(201)
    expect(await space()).toEqual({ used: 1100, reserved: 0, quota: null, free: null })
  })

  it('end an account that is disabled on one of them, with its jobs', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const [admin, other] = await cluster.logInAdmin()
    const held = await holdUpload(there!, 'held')
    const accountOf = async (caller: Caller) =>
      (await caller.call('/accounts')).json.accounts.find((each: { username: string }) => each.username === 'ann')
    for (const caller of [admin!, other!]) expect(await accountOf(caller)).toMatchObject({ jobs: 1, used: 0 })
    await admin!.call('/accounts/user:ann', { method: 'PATCH', body: { disabled: true } })
    expect(await held.answer).toMatchObject({ status: 409, json: { code: 'job-stopped', stoppedBy: 'admin:admin' } })
    for (const caller of [here!, there!]) expect((await caller.call('/auth/me')).status).toBe(401)
    expect(await accountOf(other!)).toMatchObject({ jobs: 0, lastSeenAt: expect.any(String) })
  })

  it('accept an invitation once, one of them', async () => {
    const cluster = await startCluster(2)
    await cluster.logIn('ann')
    const [admin] = await cluster.logInAdmin()
    const { pathname } = new URL((await admin!.post('/accounts/user:ann/invitation', {})).json.url)
    const accept = (server: { url: string }, password: string) => new Caller(server, '').post(pathname, { password })
    const [first, second] = cluster.servers
    const answers = await Promise.all([accept(first!, 'the first horse'), accept(second!, 'the second horse')])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404])
    const password = answers[0]!.status === 200 ? 'the first horse' : 'the second horse'
    const login = await new Caller(second!, '').post('/auth/login', { username: 'ann', password })
    expect(login.status).toBe(200)
  })

  it('read the tables that the other has imported', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    await here!.put('a.csv', 'name,n\nann,1\nbob,2\n')
    const { id } = (await here!.post('/import', { filename: 'a.csv', table: 'a' })).json
    await eventually('it is imported', async () => (await there!.job(id)).state === 'done')
    const { json } = await there!.call('/tables/a/rows')
    expect(json.results).toMatchObject([
      { name: 'ann', n: 1 },
      { name: 'bob', n: 2 },
    ])
  })

  it('keep copies of tables up to --table-cache', async () => {
    const cluster = await startCluster(1)
    const { dataFolder } = await cluster.add({ args: ['--table-cache', '1'] })
    const [here, there] = await cluster.logIn('ann')
    await here!.put('a.csv', 'name,n\nann,1\n')
    for (const table of ['a', 'b']) {
      const { id } = (await here!.post('/import', { filename: 'a.csv', table })).json
      await eventually('it is imported', async () => (await there!.job(id)).state === 'done')
      expect((await there!.call(`/tables/${table}/rows`)).json.results).toMatchObject([{ n: 1 }])
    }
    const copies = () => readdir(join(dataFolder, 'scratch/tables'), { recursive: true })
    await eventually('copies that are not in use are removed', async () => {
      return (await copies()).filter((name) => name.endsWith('.parquet')).length <= 1
    })
  })

  it('count signups of a network together', async () => {
    const [here, there] = (await startCluster(2)).servers.map((server) => new Caller(server, ''))
    const signUp = (at: number) => {
      const caller = at % 2 === 0 ? here! : there!
      return caller.post('/auth/signup', { username: `user-${at}`, password: 'correct horse' })
    }
    let count = 0
    while (count < 99) expect((await signUp(count++)).status).toBe(201)
    await eventually('the next ones are refused at both', async () => {
      const answers = [await signUp(count++), await signUp(count++)]
      return answers.every(({ status }) => status === 429)
    })
  })

  it('list, pause, limit, resume and stop the jobs of each other', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const { id, answer } = await holdUpload(here!, 'held.bin')
    expect(await there!.job(id)).toMatchObject({ state: 'running', bytes: 1, totalBytes: 100 })
    expect((await there!.call('/jobs')).json.jobs).toMatchObject([{ id, state: 'running', bytes: 1 }])
    expect((await there!.post(`/jobs/${id}/pause`)).json).toMatchObject({ id, state: 'paused' })
    expect(await there!.job(id)).toMatchObject({ state: 'paused' })
    const limited = await there!.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 1000 } })
    expect(limited.json).toMatchObject({ id, rateLimit: 1000 })
    expect((await there!.post(`/jobs/${id}/resume`)).json).toMatchObject({ id, state: 'running' })
    const stopped = await there!.post(`/jobs/${id}/stop`)
    expect(stopped.json).toMatchObject({ stoppedBy: 'user:ann', bytesDiscarded: 1, cleanedUp: true })
    expect(stopped.json.job).toMatchObject({ id, state: 'stopped' })
    expect((await answer).json).toMatchObject({ code: 'job-stopped' })
    expect((await there!.post(`/jobs/${id}/stop`)).json).toEqual(stopped.json)
    expect(await there!.job(id)).toMatchObject({ state: 'stopped' })
    expect((await there!.post(`/jobs/${id}/pause`)).json).toMatchObject({ code: 'not-running' })
  })

  it('have the slot of a job free for the next request to either, as soon as its answer has come', async () => {
    const cluster = await startCluster(2)
    const callers = await cluster.logIn('ann')
    for (let n = 0; n < 60; n++) expect((await callers[n % 2]!.put('file', `${n}`)).status).toBe(n === 0 ? 201 : 200)
    for (let n = 0; n < 10; n++) {
      await holdUpload(callers[n % 2]!, 'held.bin')
      expect((await callers[(n + 1) % 2]!.post('/upload/stop')).status).toBe(200)
      expect((await callers[n % 2]!.post('/upload/stop')).json).toMatchObject({ code: 'no-running-job' })
    }
  })

  it('stop all running jobs of an account by one request to either', async () => {
    const cluster = await startCluster(2, { args: ['--jobs-per-account', '2'] })
    const [here, there] = await cluster.logIn('ann')
    const first = await holdUpload(here!, '1.bin')
    const second = await holdUpload(there!, '2.bin')
    const { json } = await there!.post('/upload/stop')
    expect(json.receipts.map(({ job }: { job: { id: string } }) => job.id)).toEqual([second.id, first.id])
    expect((await here!.post('/upload/stop')).json).toMatchObject({ code: 'no-running-job' })
  })

  it('stop uploads that were begun on either in one order, newest first', async () => {
    const cluster = await startCluster(2)
    const callers = await cluster.logIn('ann')
    const begun: string[] = []
    for (const n of [0, 1, 0, 1]) begun.push(idOf(await new Tus(callers[n]!).begin({ name: `${begun.length}` })))
    const { json } = await callers[0]!.post('/upload/stop')
    expect(json.receipts.map(({ job }: { job: { id: string } }) => job.id)).toEqual(begun.reverse())
  })

  it('stop the jobs of an account that is disabled or removed on the other', async () => {
    const cluster = await startCluster(2)
    const [, admin] = await cluster.logInAdmin()
    for (const end of ['disabled', 'removed']) {
      const [here] = await cluster.logIn(end)
      const { id, answer } = await holdUpload(here!, 'held.bin')
      const path = `/accounts/user:${end}`
      if (end === 'removed') await admin!.call(path, { method: 'DELETE' })
      else await admin!.call(path, { method: 'PATCH', body: { disabled: true } })
      expect((await answer).json).toMatchObject({ code: 'job-stopped' })
      expect(await admin!.job(id)).toMatchObject({ state: 'stopped', stoppedBy: 'admin:admin' })
    }
  })
})

describe.skipIf(!hasCluster)('the live events of a server', () => {
  it('are also those of jobs of other servers: each state, and their progress', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const early = await listenTo(there!)
    const { id, request, answer } = await holdUpload(here!, 'held.bin')
    const late = await listenTo(there!)
    await late.find('the snapshot', (event) => event.event === 'snapshot' && event.job.id === id)
    request.write('y')
    for (const stream of [early, late]) {
      await stream.find('progress', ({ job, event }) => event === 'job' && job.id === id && job.bytes === 2)
    }
    await here!.post(`/jobs/${id}/pause`)
    await here!.post(`/jobs/${id}/resume`)
    request.end(Buffer.alloc(98))
    await answer
    for (const stream of [early, late]) {
      await stream.find('the end', ({ job }) => job.id === id && job.state === 'done' && job.bytes === 100)
      const states = stream.events.flatMap(({ job }) => (job?.id === id ? job.state : []))
      expect([...new Set(states)]).toEqual(['running', 'paused', 'committing', 'done'])
    }
    expect(early.events.filter(({ event }) => event === 'resync')).toEqual([])
  })

  it('start with a snapshot of the jobs of all servers, in the order in which they were started', async () => {
    const cluster = await startCluster(2, { args: ['--jobs-per-account', '3'] })
    const [here, there] = await cluster.logIn('ann')
    const started = [await holdUpload(here!, 'a'), await holdUpload(there!, 'b'), await holdUpload(here!, 'c')]
    for (const caller of [here!, there!]) {
      await eventually('both servers tell of all jobs', async () => {
        const stream = await listenTo(caller)
        await stream.find('a job of the other server', ({ job }) => started.some(({ id }) => id === job?.id))
        const ids = stream.events.map(({ job }) => job?.id)
        return ids.length === 3 && ids.join() === started.map(({ id }) => id).join()
      })
    }
  })

  it('replay what a listener has missed, and resync one that comes from another server', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const first = await listenTo(there!)
    const held = await holdUpload(here!, 'held.bin')
    await first.find('the job', ({ job }) => job.id === held.id)
    first.cut()
    const after = first.lastId
    held.finish()
    await held.answer
    const again = await listenTo(there!, { after })
    await again.find('what it missed', ({ job }) => job.state === 'done')
    expect(again.events.map(({ event }) => event)).not.toContain('resync')
    const elsewhere = await listenTo(here!, { after })
    await eventually('a resync', () => elsewhere.events.some(({ event }) => event === 'resync'))
  })

  it('begin anew when messages may have been lost, without jobs that have ended meanwhile', async () => {
    const cluster = await startCluster(1, { args: ['--jobs-per-account', '2'] })
    const proxy = await startDatabaseProxy(cluster.database.url)
    await cluster.add({ databaseUrl: proxy.url })
    const [here, there] = await cluster.logIn('ann')
    const [stays, ends] = [await holdUpload(here!, 'stays'), await holdUpload(here!, 'ends')]
    const stream = await listenTo(there!)
    await eventually('the snapshot', () => stream.events.length >= 2)
    proxy.isOpen = false
    proxy.cut()
    await here!.post(`/jobs/${ends.id}/stop`)
    proxy.isOpen = true
    await eventually('a resync', () => stream.events.some(({ event }) => event === 'resync'))
    const at = stream.events.findIndex(({ event }) => event === 'resync')
    await eventually('another snapshot', () => stream.events.length > at + 1)
    const snapshot = stream.events.slice(at + 1).filter(({ event }) => event === 'snapshot')
    expect(snapshot.map(({ job }) => job?.id)).toEqual([stays.id])
    stays.finish()
    await stream.find('the end', ({ job }) => job.id === stays.id && job.state === 'done')
  })

  it('have also records that are too long for a message', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const stream = await listenTo(there!)
    const id = await openFolderJob(here!, 'f/')
    const wrong = { 'Filejobs-Part-Of': id, 'Content-Digest': 'sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' }
    for (let n = 0; n < 10; n++) await here!.put(`f/${'long'.repeat(50)}${n}`, 'x', wrong)
    await here!.post(`/jobs/${id}/stop`)
    const { job } = await stream.find('the end', (event) => event.job.id === id && event.job.state === 'stopped')
    expect(job.files?.failures).toHaveLength(10)
  })

  it('of an account are not those of another one', async () => {
    const cluster = await startCluster(2)
    const [here] = await cluster.logIn('ann')
    const [, bob] = await cluster.logIn('bob')
    const [, admin] = await cluster.logInAdmin()
    const [his, all] = [await listenTo(bob!), await listenTo(admin!, { query: '?account=all' })]
    await here!.put('file', 'content')
    await all.find('the end', ({ job }) => job.state === 'done')
    await bob!.put('file', 'content')
    await his.find('his own', ({ job }) => job.state === 'done')
    expect(his.events.flatMap(({ job }) => job?.account ?? [])).not.toContain('user:ann')
  })
})

describe.skipIf(!hasCluster)('a session or link that ends on one server', () => {
  it('ends its transfers and streams on the others', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const stream = await listenTo(here!)
    const { id, answer } = await holdUpload(here!, 'held.bin')
    expect((await there!.post('/auth/logout')).status).toBe(204)
    expect((await answer).json).toMatchObject({ code: 'job-stopped' })
    await stream.ended()
    expect((await here!.call('/jobs')).status).toBe(401)
    const [, again] = await cluster.logIn('ann')
    expect(await again!.job(id)).toMatchObject({ state: 'stopped', stoppedBy: 'user:ann' })
  })

  it('ends the downloads of a link', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    await here!.put('large.bin', Buffer.alloc(30 * 1024 ** 2))
    const { json } = await here!.post('/shares', { filename: 'large.bin', expiresIn: 600 })
    const download = here!.open(new URL(json.url, here!.url).pathname)
    const response = await new Promise<IncomingMessage>((resolve) => download.on('response', resolve).end())
    const cut = new Promise<boolean>((resolve) => {
      response.on('error', () => resolve(true)).on('end', () => resolve(false))
    })
    expect((await there!.call(`/shares/${json.id}`, { method: 'DELETE' })).status).toBe(204)
    response.resume()
    expect(await cut).toBe(true)
  })
})

describe.skipIf(!hasCluster)('a server whose database is away', () => {
  it('holds its transfers, reports it, and continues them when the database is back', async () => {
    const cluster = await startCluster(0)
    const proxy = await startDatabaseProxy(cluster.database.url)
    await cluster.add({ databaseUrl: proxy.url })
    const [here] = await cluster.logIn('ann')
    const { id, request, answer } = await holdUpload(here!, 'held.bin', { size: 3 })
    proxy.isOpen = false
    proxy.cut()
    await eventually('it holds', async () => {
      const { status, json } = await here!.call('/readyz')
      return status === 503 && json.status === 'database not answering'
    })
    expect((await here!.call('/healthz')).status).toBe(200)
    const refused = await here!.call('/jobs')
    expect([refused.status, refused.json.code]).toEqual([503, 'storage-unavailable'])
    request.write('y')
    proxy.isOpen = true
    await eventually('it continues', async () => (await here!.call('/readyz')).status === 200)
    request.end('z')
    expect((await answer).status).toBe(201)
    expect(await here!.job(id)).toMatchObject({ state: 'done', bytes: 3 })
  })
})

describe.skipIf(!hasCluster)('a server that is killed', () => {
  it('frees its slots within ten seconds, and its jobs have failed for listeners of the others', async () => {
    const cluster = await startCluster(2)
    const [here, there] = await cluster.logIn('ann')
    const stream = await listenTo(there!)
    const { id } = await holdUpload(here!, 'lost.bin')
    cluster.servers[0]!.child.kill('SIGKILL')
    const killedAt = performance.now()
    const next = await there!.call('/files/next.bin', { method: 'PUT', body: 'next', headers: { Prefer: 'wait=60' } })
    expect(next.status).toBe(201)
    expect(performance.now() - killedAt).toBeLessThan(10_000)
    await stream.find('its end', ({ job }) => job.id === id && job.state === 'failed')
    expect(await there!.job(id)).toMatchObject({ state: 'failed', error: { code: 'shutting-down' } })
    await eventually('nothing is left of it', async () => {
      const [rows] = await cluster.database.connect(1)`
        select (select count(*) from partials)::int as partials,
          (select count(*) from objects where state in ('pending', 'stored'))::int as objects`
      return rows!.partials + rows!.objects === 0
    })
  })
})

describe.skipIf(!hasCluster)('the queue of three servers', () => {
  it('is first come, first served', async () => {
    const cluster = await startCluster(3)
    const callers = await cluster.logIn('ann')
    const first = await holdUpload(callers[0]!, 'held.bin')
    const order: number[] = []
    const waiting: Promise<void>[] = []
    for (let index = 0; index < 9; index++) {
      const caller = callers[(index * 2) % 3]!
      const put = caller.put(`${index}.bin`, 'x', { Prefer: 'wait=100' }).then(({ status }) => {
        expect(status).toBe(201)
        order.push(index)
      })
      waiting.push(put)
      await eventually('it waits', async () => (await caller.call('/jobs?state=waiting')).json.jobs.length > index)
    }
    first.finish()
    await Promise.all(waiting)
    const { json } = await callers[1]!.call('/jobs?kind=upload')
    const ends = json.jobs.filter(({ file }: { file: string }) => file !== 'held.bin')
    const byStart = [...ends].sort((a: Started, b: Started) => Date.parse(a.startedAt) - Date.parse(b.startedAt))
    expect(byStart.map(({ file }: Started) => file)).toEqual(Array.from({ length: 9 }, (_, index) => `${index}.bin`))
    expect(order).toHaveLength(9)
  })
})

interface Started {
  startedAt: string
  file: string
}
