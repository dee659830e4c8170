import { randomUUID } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { Job } from '../../../dist/server/jobs/job.js'
import type { PartialFile } from '../../../dist/server/stores/partials.js'
import { BufferPool } from '../../../dist/server/transfers/buffers.js'
import { ChunkGarbage } from '../../../dist/server/transfers/chunk-garbage.js'
import { Flow } from '../../../dist/server/transfers/flow.js'
import { receive } from '../../../dist/server/transfers/receiving.js'
import { eventually } from '../../helpers/eventually.js'
import { TestClock } from '../../helpers/test-clock.js'
import { openStores } from '../stores/local/open-stores.js'
import { opened } from '../stores/stored-content.js'

describe('a body that ends early, on a busy disk,', () => {
  it('keeps every byte that was counted, if it is worth keeping', async () => {
    const { received, partial, flow } = await interrupted({ isKept: true })
    await expect(received).rejects.toThrow('taken over')
    expect(partial.size).toBe(flow.bytes)
  })

  it('writes nothing after the write in progress, if it is not', async () => {
    const { received, partial, appends } = await interrupted({ isKept: false })
    await expect(received).rejects.toThrow('taken over')
    expect(appends.length).toBe(1)
    await eventually('the write has ended', () => partial.size > 0)
    expect(appends.length).toBe(1)
  })
})

/** A body whose first 60,000 bytes were counted when it ended; the disk is busy with the first of them until then. */
async function interrupted({ isKept }: { isKept: boolean }) {
  const { partials } = await openStores()
  const partial = await opened(partials.create(randomUUID()))
  const disk = deferred()
  const appends: number[] = []
  const append: PartialFile['append'] = async (buffer, length) => {
    appends.push(length)
    await disk.promise
    await partial.append(buffer, length)
  }
  const takenOver = new AbortController()
  const clock = new TestClock()
  const job = new Job({ id: randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann' }, () => {}, clock)
  job.start()
  const flow = new Flow({ carrier: job, shared: [], idleTimeoutMs: 60_000, signal: takenOver.signal })
  const body = new PassThrough()
  const memory = { pool: new BufferPool(), garbage: new ChunkGarbage(() => {}) }
  const received = receive(body, { append }, { flow, memory, isWorthKeeping: () => isKept }).finally(() => flow.close())
  received.catch(() => {})
  body.write(Buffer.alloc(60_000, 'a'))
  await eventually('they are counted, and the disk is busy', () => flow.bytes === 60_000 && appends.length === 1)
  takenOver.abort(new Error('taken over'))
  disk.resolve()
  return { received, partial, flow, appends }
}
