import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Filejobs, type JobEvent, type TransportRequest } from '../../dist/client/filejobs.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { allOf, errorOf, largeBytes, libraryOf, patternOf } from '../helpers/library.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shared = shareServer()
const login = { username: 'lib', password: 'correct horse' }

describe('an account in the library', () => {
  it('signs up, logs in at its first request, and logs out', async () => {
    const { url } = shared.server
    const first = new Filejobs({ server: `${url}/` })
    expect(first.server).toBe(url)
    expect(await first.signup(login)).toMatchObject({ username: 'lib', role: 'user', token: expect.any(String) })
    await first.upload(new Uint8Array(1), { name: 'a' })

    const second = new Filejobs({ server: new URL(url), login })
    expect(await allOf(second.list())).toMatchObject([{ name: 'a' }])
    await second.logout()
    expect(await errorOf(second.remove('a'))).toMatchObject({ code: 'not-logged-in' })

    const wrong = new Filejobs({ server: url, login: { ...login, password: 'wrong horse' } })
    expect(await errorOf(wrong.remove('a'))).toMatchObject({ code: 'invalid-credentials', status: 401 })
  })

  it('is refused by TypeErrors for what is no server, and for two ways to log in', () => {
    expect(() => new Filejobs({ server: 'files.example.org' })).toThrow(TypeError)
    expect(() => new Filejobs({ server: 'ftp://files.example.org' })).toThrow(TypeError)
    expect(() => new Filejobs({ server: 'http://127.0.0.1', token: 'x', login })).toThrow(TypeError)
  })

  it('asks a function for the current token, and sends its headers by its transport', async () => {
    const ann = await shared.newCaller()
    const sent: TransportRequest[] = []
    const library = new Filejobs({
      server: ann.url,
      token: async () => ann.token,
      headers: { 'user-agent': 'dump/1' },
      transport(url, request) {
        sent.push(request)
        return fetch(url, request)
      },
    })
    await library.upload(new Uint8Array(1), { name: 'a' })
    expect(sent).toMatchObject([
      { method: 'PUT', headers: { 'user-agent': 'dump/1', authorization: `Bearer ${ann.token}` } },
    ])
  })

  it('lists, moves and removes files and folders', async () => {
    const ann = await shared.newCaller()
    const library = libraryOf(ann)
    for (const name of ['a b', 'in/a', 'in/b']) await ann.put(encodeURI(name), 'x')
    expect((await allOf(library.list('in/'))).map(({ name }) => name)).toEqual(['in/a', 'in/b'])
    await library.move('a b', 'c')
    await library.move('in/', 'out')
    await library.remove('out/a')
    expect(await ann.names()).toEqual(['c', 'out/b'])
    await library.remove('out/')
    expect(await ann.names()).toEqual(['c'])
    expect(await errorOf(library.move('none', 'd'))).toMatchObject({ code: 'file-not-found' })
  })

  it('makes a folder on the server like one here, and sends only what differs', async () => {
    const ann = await shared.newCaller()
    const library = libraryOf(ann)
    const folder = await temporaryFolder()
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'a'), 'one')
    writeFileSync(join(folder, 'sub/large'), patternOf(largeBytes))
    symlinkSync('a', join(folder, 'link'))
    expect(await library.sync(folder, 'in')).toMatchObject({ files: 2, created: 2, unchanged: 0, failures: [] })
    writeFileSync(join(folder, 'a'), 'two')
    expect(await library.sync(folder, 'in/')).toMatchObject({ files: 1, replaced: 1, unchanged: 1, removed: 0 })
    rmSync(join(folder, 'a'))
    writeFileSync(join(folder, 'b\\c'), 'no name')
    const failed = await library.sync(folder, 'in/', { delete: true })
    expect(failed).toMatchObject({ failed: 1, removed: 0, failures: [{ error: { code: 'invalid-request' } }] })
    rmSync(join(folder, 'b\\c'))
    expect(await library.sync(folder, 'in/', { delete: true })).toMatchObject({ removed: 1, unchanged: 1 })
    expect(await ann.names()).toEqual(['in/sub/large'])
  })
})

describe('the jobs in the library', () => {
  it('are listed, found, paused, resumed and limited', async () => {
    const ann = await shared.newCaller()
    const library = libraryOf(ann)
    const leave = new AbortController()
    const options = { name: 'a', rateLimit: 500_000, signal: leave.signal }
    const upload = errorOf(library.upload(new Blob([patternOf(largeBytes)]), options))
    const { id } = await ann.findJob('state=running', (job) => job.bytes > 0)
    expect(await allOf(library.jobs.list({ kind: 'upload', state: ['running'], limit: 1 }))).toMatchObject([{ id }])
    expect(await library.pause(id)).toMatchObject({ id, state: 'paused' })
    expect(await library.resume({ id })).toMatchObject({ id, state: 'running' })
    expect(await library.limit(id, 400_000)).toMatchObject({ rateLimit: 400_000 })
    expect(await library.limit(id, null)).toMatchObject({ rateLimit: null })
    leave.abort()
    await upload
    expect((await library.jobs.get(id)).id).toBe(id)
    expect(await errorOf(library.jobs.get('0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e'))).toMatchObject({
      code: 'job-not-found',
    })
  })

  it('are watched over a broken connection, without missing or repeating an event', async () => {
    const ann = await shared.newCaller()
    const proxy = await openCuttingProxy(ann.url)
    await ann.put('large', patternOf(largeBytes))
    const { stream, jobId } = await libraryOf(ann).export('large', { rateLimit: 100_000 })
    const events: JobEvent[] = []
    for await (const event of libraryOf(ann, proxy.url).jobs.watch()) {
      events.push(event)
      const { job } = event
      if (event.event === 'snapshot' && job?.id === jobId) await ann.put('one', 'x')
      if (job?.file === 'one' && job.state === 'done') {
        proxy.cutAll()
        await ann.put('two', 'x')
      }
      if (job?.file === 'two' && job.state === 'done') break
    }
    await stream.cancel()
    // A heartbeat has the id of the event before it.
    const ids = events.filter(({ event }) => event !== 'heartbeat').map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(events.some(({ event }) => event === 'resync')).toBe(false)
  })

  it('are watched until the signal aborts, which is no error', async () => {
    const ann = await shared.newCaller()
    const leave = new AbortController()
    const watching = allOf(libraryOf(ann).jobs.watch({ signal: leave.signal }))
    leave.abort()
    expect(await watching).toEqual(expect.any(Array))
    expect(await errorOf(allOf(libraryOf(ann).jobs.watch({ all: true })))).toMatchObject({
      code: 'not-allowed',
      status: 403,
    })
  })
})
