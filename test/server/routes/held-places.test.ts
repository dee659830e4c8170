import http from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ trustProxy: 1 })
/** More than the buffers of a connection take. */
const big = Buffer.alloc(24 * 1024 ** 2)

/** Opens a request whose answer is never read, and resolves with its status. */
async function hold(url: string, headers: http.OutgoingHttpHeaders): Promise<number> {
  const request = http.get(url, { agent: false, headers })
  onTestFinished(() => void request.destroy())
  request.on('error', () => {})
  const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
  response.on('error', () => {})
  return response.statusCode ?? 0
}

async function holdMany(caller: Caller, path: string, count: number): Promise<number[]> {
  const headers = { Authorization: `Bearer ${caller.token}` }
  return Promise.all(Array.from({ length: count }, () => hold(caller.url + path, headers)))
}

describe('a share link', () => {
  it('is not blocked by silent readers of one address: other addresses are served', async () => {
    const ann = await shared.newCaller()
    await ann.put('big', big)
    const { url } = (await ann.post('/shares', { filename: 'big', expiresIn: 60 })).json
    const silent = Array.from({ length: 20 }, () => hold(url, { 'X-Forwarded-For': '192.0.2.1' }))
    const statuses = await Promise.all(silent)
    expect(statuses.filter((status) => status === 200)).toHaveLength(12)
    expect(statuses.filter((status) => status === 503)).toHaveLength(8)
    expect(await hold(url, { 'X-Forwarded-For': '192.0.2.2' })).toBe(200)
  })
})

describe('an account is limited:', () => {
  it('it has at most 64 event streams, and a new one as soon as one ends', async () => {
    const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
    expect(new Set(await holdMany(ann, '/jobs/events', 63))).toEqual(new Set([200]))
    const last = ann.open('/jobs/events')
    await new Promise((resolve) => last.on('response', resolve).end())
    const more = await ann.call('/jobs/events')
    expect(more).toMatchObject({ status: 429, json: { code: 'too-many-requests' } })
    expect(Number(more.headers['retry-after'])).toBeGreaterThan(0)
    expect(await holdMany(bob, '/jobs/events', 1)).toEqual([200])
    last.on('error', () => {}).destroy()
    await eventually('a stream is free', async () => (await holdMany(ann, '/jobs/events', 1))[0] === 200)
  })

  it('it reads one file over at most 64 connections at once', async () => {
    const ann = await shared.newCaller()
    await ann.put('big', big)
    const statuses = await holdMany(ann, '/files/big', 70)
    expect(statuses.filter((status) => status === 200)).toHaveLength(64)
    expect(statuses.filter((status) => status === 429)).toHaveLength(6)
  })
})
