import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { describe, expect, inject, it } from 'vitest'
import { type Clock, systemClock } from '../../dist/server/clock.js'
import { type ListedObject, sentBytesOf } from '../../dist/server/stores/s3/bucket.js'
import { isMissingKey } from '../../dist/server/stores/s3/bucket-errors.js'
import { eventually } from '../helpers/eventually.js'
import { fastClock } from '../helpers/fast-clock.js'
import { TestClock } from '../helpers/test-clock.js'
import { downloaded, hasBucket, openTestBucket } from './helpers/bucket.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { startFullServer } from './helpers/full-server.js'
import { listening } from './helpers/listening.js'

const mebibyte = 1024 ** 2
/** Repeats requests soon, and does not give up. */
const patient = { clock: fastClock(100), retryMs: Number.POSITIVE_INFINITY }

describe.skipIf(!hasBucket)('objects in a bucket', () => {
  it('are put, read in ranges, measured and removed', async () => {
    const { bucket, keys } = openTestBucket()
    expect(await bucket.head('o/1')).toBeUndefined()
    await bucket.put('o/1', sentBytesOf('0123456789'))
    await bucket.put('o/2', sentBytesOf(''))
    expect(keys()).toEqual(['o/1', 'o/2'])
    expect([await bucket.head('o/1'), await bucket.head('o/2')]).toEqual([10, 0])
    expect(String(await downloaded(await bucket.get('o/1', { offset: 0, length: 10 }), 10))).toBe('0123456789')
    expect(String(await downloaded(await bucket.get('o/1', { offset: 3, length: 4 }), 4))).toBe('3456')
    await bucket.delete('o/1')
    await bucket.delete('o/1')
    await expect(bucket.get('o/1', { offset: 0, length: 1 })).rejects.toMatchObject({ status: 404, code: 'NoSuchKey' })
    expect(keys()).toEqual(['o/2'])
  })

  it('are listed in the order of their keys, also more than a page of them', async () => {
    const { bucket, prefix } = openTestBucket()
    await bucket.put('o/1000', sentBytesOf('0123456789'))
    await bucket.put('p/1', sentBytesOf(''))
    const names = Array.from({ length: 1100 }, (_, index) => `o/${1001 + index}`)
    for (const name of names) await writeFile(join(inject('bucket')!.folder, prefix, name), 'x')
    const listed: ListedObject[] = []
    for await (const object of bucket.list('o/')) listed.push(object)
    expect(listed.map(({ key }) => key)).toEqual(['o/1000', ...names])
    expect(listed[0]).toMatchObject({ size: 10, storedAt: expect.any(Date) })
    expect(Math.abs(listed[0]!.storedAt.getTime() - Date.now())).toBeLessThan(3_600_000)
  })

  it('are stored from a stream, and only if the bytes have the declared digest', async () => {
    const { bucket, keys } = openTestBucket({ clock: fastClock(1e6) })
    const content = randomBytes(3 * mebibyte)
    const body = { ...sentBytesOf(content), open: () => Readable.from([content.subarray(0, 99), content.subarray(99)]) }
    await bucket.put('o/1', body)
    expect(
      (await downloaded(await bucket.get('o/1', { offset: 0, length: content.length }), content.length)).equals(
        content,
      ),
    ).toBe(true)
    const other = { ...sentBytesOf('abc'), open: () => Buffer.from('abd') }
    await expect(bucket.put('o/2', other)).rejects.toThrow()
    expect(keys()).toEqual(['o/1'])
  })

  it('are refused without the right keys, at once', async () => {
    const { bucket } = openTestBucket({ credentials: { accessKeyId: 'test', secretAccessKey: 'wrong' } })
    await expect(bucket.put('o/1', sentBytesOf('abc'))).rejects.toMatchObject({
      code: 'storage-unavailable',
      cause: { status: 403 },
    })
  })
})

describe.skipIf(!hasBucket)('a request to a bucket', () => {
  it('is repeated after 503, broken connections and broken responses', async () => {
    const proxy = await startBucketProxy()
    const { bucket, keys } = openTestBucket({ origin: proxy.origin, ...patient })
    proxy.faults = ['busy', 'cut', 'lost', 'late-error']
    await bucket.put('o/1', sentBytesOf('0123456789'))
    expect(proxy.requests).toHaveLength(5)
    proxy.faults = ['other-length', 'busy']
    expect(String(await downloaded(await bucket.get('o/1', { offset: 2, length: 5 }), 5))).toBe('23456')
    proxy.faults = ['lost']
    await bucket.delete('o/1')
    expect(keys()).toEqual([])
  })

  it('finds an object missing also by a response in chunks, and only by one of S3', async () => {
    const proxy = await startBucketProxy()
    const { bucket } = openTestBucket({ origin: proxy.origin, ...patient })
    proxy.faults = ['missing-in-chunks', 'missing-in-chunks']
    const missing = bucket.get('o/1', { offset: 0, length: 1 })
    await expect(missing).rejects.toSatisfy(isMissingKey)
    const server = http.createServer((_, response) => response.writeHead(404).end('<html>No such page'))
    const { bucket: page } = openTestBucket({ origin: await listening(server, 'http') })
    const refused = page.get('o/1', { offset: 0, length: 1 })
    await expect(refused).rejects.toMatchObject({ code: 'storage-unavailable', cause: { status: 404 } })
  })

  it('stores nothing if the body is cut on its way, whatever its checksum', async () => {
    const proxy = await startBucketProxy()
    const { bucket, keys } = openTestBucket({ origin: proxy.origin, ...patient })
    const content = randomBytes(mebibyte)
    const crc = { algorithm: 'crc32' as const, value: crc32(content).toString(16).padStart(8, '0') }
    for (const body of [sentBytesOf(content), { ...sentBytesOf(content), checksum: crc }]) {
      proxy.faults = ['truncated', 'forbidden']
      await expect(bucket.put('o/1', body)).rejects.toMatchObject({
        code: 'storage-unavailable',
        cause: { status: 403 },
      })
      expect(keys()).toEqual([])
      await bucket.put('o/1', body)
      expect(keys()).toEqual(['o/1'])
      await bucket.delete('o/1')
    }
    const other = { ...sentBytesOf(content), checksum: { ...crc, value: '01234567' } }
    proxy.faults = [null, 'forbidden']
    await expect(bucket.put('o/1', other)).rejects.toMatchObject({
      code: 'storage-unavailable',
      cause: { status: 403 },
    })
    expect(keys()).toEqual([])
  })

  it('is repeated after 1, 2, 4 s and so on, and given up after two minutes', async () => {
    const proxy = await startBucketProxy()
    const delays: number[] = []
    let elapsedMs = 0
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => elapsedMs,
      after(delayMs, callback) {
        delays.push(delayMs)
        elapsedMs += delayMs
        setImmediate(callback)
        return () => {}
      },
    }
    const { bucket } = openTestBucket({ origin: proxy.origin, clock })
    proxy.faults = Array(20).fill('busy')
    await expect(bucket.put('o/1', sentBytesOf('abc'))).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000])
  })

  it('fails for a stream that breaks off, which is the reader’s to continue', async () => {
    const proxy = await startBucketProxy()
    const { bucket } = openTestBucket({ origin: proxy.origin, clock: fastClock(1000) })
    await bucket.put('o/1', sentBytesOf(randomBytes(1000)))
    proxy.faults = ['short']
    await expect(downloaded(await bucket.get('o/1', { offset: 0, length: 1000 }), 1000)).rejects.toThrow()
  })

  describe('is repeated where the bucket is silent for too long', () => {
    const silent = { 'while it is sent': 'deaf', 'before the response': 'silent', 'in its head': 'half-head' } as const
    for (const [when, fault] of Object.entries(silent)) {
      it(when, async () => {
        const proxy = await startBucketProxy()
        const { bucket, keys } = openTestBucket({ origin: proxy.origin, ...patient, idleMs: 1000 })
        proxy.faults = [fault]
        // More than the buffers of a connection take.
        await bucket.put('o/1', sentBytesOf(randomBytes(16 * mebibyte)))
        expect(proxy.requests.length).toBeGreaterThan(1)
        expect(keys()).toEqual(['o/1'])
        proxy.faults = [fault]
        expect(await downloaded(await bucket.get('o/1', { offset: 0, length: 3 }), 3)).toHaveLength(3)
        const gets = proxy.requests.filter((method) => method === 'GET')
        expect(gets.length).toBeGreaterThan(fault === 'deaf' ? 0 : 1)
      })
    }
  })

  it('has a limit on the silence while it connects, too', async () => {
    const full = await startFullServer()
    const { bucket } = openTestBucket({ origin: full, clock: fastClock(1e5), idleMs: 50 })
    await expect(bucket.put('o/1', sentBytesOf('abc'))).rejects.toMatchObject({ code: 'storage-unavailable' })
    await expect(bucket.get('o/1', { offset: 0, length: 1 })).rejects.toMatchObject({ code: 'storage-unavailable' })
  })

  it('fails for a body that comes to a halt, which is the reader’s to continue', async () => {
    const proxy = await startBucketProxy()
    const { bucket } = openTestBucket({ origin: proxy.origin, ...patient, idleMs: 1000 })
    await bucket.put('o/1', sentBytesOf(randomBytes(1000)))
    proxy.faults = ['half-body']
    await expect(downloaded(await bucket.get('o/1', { offset: 0, length: 1000 }), 1000)).rejects.toThrow('silent')
  })

  it('ends with its signal, under way and between two tries', async () => {
    const proxy = await startBucketProxy()
    const { bucket, keys } = openTestBucket({ origin: proxy.origin, clock: new TestClock() })
    for (const fault of ['silent', 'busy'] as const) {
      const stop = new AbortController()
      proxy.faults = [fault]
      const before = proxy.requests.length
      const putting = bucket.put('o/1', sentBytesOf('abc'), stop.signal)
      await eventually('the request has arrived', () => proxy.requests.length > before)
      const reason = new Error('stopped')
      stop.abort(reason)
      await expect(putting).rejects.toBe(reason)
      await expect(bucket.put('o/1', sentBytesOf('abc'), stop.signal)).rejects.toBe(reason)
    }
    expect(keys()).toEqual([])
  })

  it('waits while many bodies are being sent, each of which has its buffers, but not behind them without a body', async () => {
    const proxy = await startBucketProxy()
    const { bucket, keys } = openTestBucket({ origin: proxy.origin })
    let opened = 0
    const open = () => {
      opened++
      return Buffer.from('abc')
    }
    proxy.hold()
    const stop = new AbortController()
    const body = { ...sentBytesOf('abc'), open }
    const puts = Array.from({ length: 100 }, (_, at) => bucket.put(`o/${at}`, body))
    const stopped = bucket.put('o/stopped', body, stop.signal)
    await eventually('some have arrived', () => proxy.requests.length >= 32)
    const head = bucket.head('o/0')
    await eventually('the other one has arrived', () => proxy.requests.includes('HEAD'))
    expect(opened).toBe(32)
    stop.abort(new Error('stopped'))
    await expect(stopped).rejects.toThrow('stopped')
    proxy.release()
    await Promise.all([...puts, head])
    expect(keys()).toHaveLength(100)
  })
})
