import net from 'node:net'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import type { Caller } from './calls.js'
import { eventually } from './eventually.js'
import { statusesIn } from './raw-connection.js'
import type { TestServer } from './server.js'
import { partialNames } from './stored-state.js'

/** Inputs made of the corpus by a few changes: bytes that are altered, removed, repeated, cut off or taken from `tokens`. */
export function mutations(corpus: readonly string[], tokens: readonly string[]): fc.Arbitrary<Buffer> {
  const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  const addition = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...tokens).map((token) => Buffer.from(token, 'latin1')) },
    fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 70_000 })).map(([byte, times]) => Buffer.alloc(times, byte)),
  )
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('insert' as const), at, addition }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('replace' as const), at, addition }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), at, bytes: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), at, bytes: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), at }) },
  )
  return fc.tuple(fc.constantFrom(...corpus), fc.array(change, { maxLength: 5 })).map(([seed, changes]) => {
    let bytes: Buffer = Buffer.from(seed, 'latin1')
    for (const one of changes) {
      const place = Math.floor(one.at * bytes.length)
      const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
      if (one.do === 'insert') bytes = Buffer.concat([before, one.addition, after])
      else if (one.do === 'replace') bytes = Buffer.concat([before, one.addition, after.subarray(one.addition.length)])
      else if (one.do === 'remove') bytes = Buffer.concat([before, after.subarray(one.bytes)])
      else if (one.do === 'repeat') bytes = Buffer.concat([before, after.subarray(0, one.bytes), after])
      else bytes = before
    }
    return bytes
  })
}

/** Sends bytes on a connection of their own, ends it, and returns what comes back before the server ends it. */
export function exchange(url: string, bytes: Uint8Array): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      socket.destroy()
      reject(new Error(`The connection is still open after ${Buffer.concat(chunks).toString('latin1')}`))
    }, 30_000)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(late)
      resolve(Buffer.concat(chunks).toString('latin1'))
    })
    socket.end(bytes)
  })
}

/** Invariants after any input: the server responds, has logged no error, and keeps nothing of ended jobs. */
export async function expectSound(server: TestServer, caller: Caller, answers = ''): Promise<void> {
  expect(statusesIn(answers)).not.toContain(500)
  expect((await caller.call('/healthz')).status).toBe(200)
  expect(server.errors).toEqual([])
  await eventually('no job runs, and nothing is left in partial/', async () => {
    const { jobs } = (await caller.call('/jobs?limit=100')).json as { jobs: JobRecord[] }
    for (const job of jobs.filter(({ endedAt }) => endedAt === null)) await caller.post(`/jobs/${job.id}/stop`)
    return (await partialNames(server.dataFolder)).length === 0
  })
}
