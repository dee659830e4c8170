import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { FolderJobs } from '../../../dist/server/folders/folder-jobs.js'
import type { FolderStream } from '../../../dist/server/folders/folder-stream.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import type { Account } from '../../../dist/server/stores/accounts.js'
import { openJobFiles } from '../../../dist/server/stores/local/job-files.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('the streams of a job of many files', () => {
  it('have cleaned up before a stop is answered, and are answered when the job has ended', async () => {
    const { folders, request, open } = await openFolders()
    const job = await open()
    const order: string[] = []
    const cleaned = deferred()
    const streams = [1, 2].map((number) =>
      folders
        .join(job.id, request, async (stream) => {
          stream.onEnd(() => cleaned.promise)
          await untilAborted(stream)
        })
        .catch(({ code }) => order.push(`stream ${number}: ${code}, ${job.state}`)),
    )
    await settled()
    const stopped = job.stop('user:ben').then(({ cleanedUp }) => order.push(`receipt: ${cleanedUp}`))
    await settled()
    expect(order).toEqual([])
    cleaned.resolve()
    await Promise.all([...streams, stopped])
    expect(order.sort()).toEqual(['receipt: true', 'stream 1: job-stopped, stopped', 'stream 2: job-stopped, stopped'])
  })

  it('that could not clean up say so in the receipt', async () => {
    const { folders, request, open, faults } = await openFolders()
    const job = await open()
    const stream = folders.join(job.id, request, async (joined) => {
      joined.onEnd(() => Promise.reject(new Error('the disk is gone')))
      joined.count(5)
      await untilAborted(joined)
    })
    await settled()
    const receipt = await job.stop('user:ann')
    expect(receipt).toMatchObject({ cleanedUp: false, bytesDiscarded: 5, published: { files: 0, bytes: 0 } })
    await expect(stream).rejects.toMatchObject({ code: 'job-stopped' })
    expect(faults).toContain('the disk is gone')
  })

  it('count files that one of them publishes in batches, whose framing is no progress', async () => {
    const { folders, request, open } = await openFolders()
    const job = await open()
    await folders.join(job.id, { ...request, name: null }, async (stream) => {
      stream.count(30)
      stream.fileDone({ name: 'photos/a', size: 10, status: 'new' })
      stream.fileDone({ name: 'photos/b', size: 20, status: 'replaced' })
      stream.fileFailed('photos/c', new Error('broken'))
      stream.fileDone({ name: 'photos/d', size: 5, status: 'unchanged' })
      expect(stream.files.publication).toMatchObject({ files: 2, bytes: 30, unchanged: 1, failed: 1 })
    })
    expect(job.record()).toMatchObject({ bytes: 35, files: { done: 3, unchanged: 1, failed: 1 } })
  })

  it('are limited in number, and another one is refused', async () => {
    const { folders, request, open } = await openFolders()
    const job = await open()
    const ends = deferred()
    const streams = Array.from({ length: 64 }, () => folders.join(job.id, request, () => ends.promise))
    await settled()
    await expect(folders.join(job.id, request, async () => {})).rejects.toMatchObject({ code: 'too-many-requests' })
    ends.resolve()
    await Promise.all(streams)
    await folders.join(job.id, request, async () => {})
  })

  it('do not wait for a slot on behalf of each other', async () => {
    const { folders, request, open, clock, jobs } = await openFolders()
    const job = await open()
    await clock.advance(31_000)
    expect(job.state).toBe('interrupted')
    const order: string[] = []
    const waits = { ...request, waitMs: Number.POSITIVE_INFINITY }
    const other = await open()
    const joined = [1, 2, 3].map((number) => folders.join(job.id, waits, async () => order.push(`stream ${number}`)))
    await settled()
    expect(order).toEqual([])
    await folders.finish(other.id, ann)
    await Promise.all(joined)
    expect(order).toHaveLength(3)
    expect(await jobs.holding('upload', 'user:ann')).toHaveLength(1)
    await folders.finish(job.id, ann)
    expect(await jobs.holding('upload', 'user:ann')).toEqual([])
  })
})

describe('a job of many files', () => {
  it('gives up its slot also if its timer fires a fraction of a millisecond early', async () => {
    const { open, clock } = await openFolders(new EarlyClock())
    const job = await open()
    await clock.advance(30_001)
    expect(job.state).toBe('interrupted')
  })

  it('does not expire while its client counts unchanged files', async () => {
    const { folders, open, clock } = await openFolders()
    const job = await open()
    await clock.advance(45_000)
    await folders.countUnchanged(job.id, ann, { count: 2, bytes: 2 })
    await clock.advance(45_000)
    await folders.count(job.id, ann, [{ name: 'photos/a', size: 1, status: 'unchanged' }])
    await clock.advance(45_000)
    expect(job.signal.aborted).toBe(false)
    expect(job.record()).toMatchObject({ state: 'interrupted', files: { unchanged: 3 } })
    await clock.advance(40_000)
    await job.ended
    expect(job.error?.code).toBe('job-expired')
  })

  it('of one request ends with it, and fails with it', async () => {
    const { folders, plan, jobs } = await openFolders()
    const done = await folders.carry({ ...plan, partOf: null }, async (stream) => {
      stream.fileDone({ name: 'photos/a', size: 10, status: 'new' })
      return stream.job
    })
    expect(done.record()).toMatchObject({ state: 'done', bytes: 10, files: { done: 1 } })
    const failing = folders.carry({ ...plan, partOf: null }, async (stream) => {
      stream.fileDone({ name: 'photos/a', size: 10, status: 'new' })
      stream.count(7)
      throw new Error('broken')
    })
    await expect(failing).rejects.toMatchObject({ code: 'internal', details: { job: { state: 'failed' } } })
    const { jobs: all } = await jobs.list({ accountId: ann.id, limit: 10 })
    expect(all.map(({ state, bytes }) => [state, bytes])).toEqual([
      ['failed', 10],
      ['done', 10],
    ])
  })
})

const ann = { id: 1, role: 'user', username: 'ann' } as Account

/** Its timers fire half a millisecond early, as those of Node do that count whole milliseconds. */
class EarlyClock extends TestClock {
  override after(delayMs: number, callback: () => void): () => void {
    return super.after(delayMs > 0.5 ? delayMs - 0.5 : delayMs, callback)
  }
}

async function openFolders(clock = new TestClock()) {
  const folder = await temporaryFolder()
  const history = await openJobHistory(folder, () => {})
  const lists = await openJobFiles(folder)
  const slots = new LocalSlots({ history, lastSeq: 0, jobsPerAccount: 1, clock })
  const jobs = new Jobs(history, { slots, clock })
  const faults: string[] = []
  const folders = new FolderJobs({
    jobs,
    clock,
    lists,
    keepSlotMs: 30_000,
    keepWantedSlotMs: 1000,
    keepPartialMs: 60_000,
    keepUnusedMs: 60_000,
    checkAccess: async () => {},
    onCleanUpError: (_job, error) => faults.push((error as Error).message),
  })
  onTestFinished(async () => {
    await lists.close()
    await history.close()
  })
  const request = {
    kind: 'upload' as const,
    name: 'photos/x',
    identity: { account: ann, sessionId: 's', revoked: new AbortController().signal },
    waitMs: 0,
    left: new AbortController().signal,
  }
  const plan = {
    ...request,
    ...{ name: 'photos/', jobId: null, files: null, totalBytes: null, rateLimit: null },
    ...{ isTogether: false, replaces: false },
  }
  return { folders, jobs, clock, request, plan, faults, open: () => folders.open(plan) }
}

function untilAborted({ signal }: FolderStream): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

/** Lets everything run that waits for nothing from outside. */
async function settled(): Promise<void> {
  for (let tick = 0; tick < 10; tick++) await new Promise((resolve) => setImmediate(resolve))
}
