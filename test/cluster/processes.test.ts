import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'
import { Job } from '../../dist/server/jobs/job.js'
import { eventually, within } from '../helpers/eventually.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'
import { openNode, type TestNode } from './helpers/node.js'

const script = fileURLToPath(new URL('helpers/claiming-node.mjs', import.meta.url))

describe.skipIf(!hasDatabase)('the process of a server', () => {
  it('that is killed loses its slot, and the next job has it', async () => {
    const { child, jobId, node } = await startOther()
    const next = newJob()
    const { queued } = await node.slots.claim(next, waiting())
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expire(node)
    await queued
    expect(await node.slots.holding('upload', 'user:ann')).toEqual([next.record()])
    expect(await node.history.find(jobId)).toMatchObject({ job: { state: 'failed' } })
  })

  it('that is killed loses its slot at once to a server on its machine', async () => {
    const { child, jobId, node } = await startOther()
    const next = newJob()
    const { queued } = await node.slots.claim(next, waiting())
    await node.reaper.run()
    expect(await node.slots.holding('upload', 'user:ann')).toMatchObject([{ id: jobId }])
    child.kill('SIGKILL')
    await once(child, 'exit')
    await node.reaper.run()
    await queued
    expect(await node.slots.holding('upload', 'user:ann')).toEqual([next.record()])
    expect(await node.history.find(jobId)).toMatchObject({ job: { state: 'failed' } })
  })

  it.each([
    ['on another machine', { startTime: '00000000-0000-0000-0000-000000000000/1' }],
    ['in another container', { namespace: 'pid:[1]' }],
    ['without a known process', null],
  ])('that may run %s keeps its slot until its lease is over', async (_, change) => {
    const { child, jobId, node } = await startOther()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const process = change && { ...node.lease.process!, ...change, pid: child.pid }
    await node.sql`update nodes set process = ${JSON.stringify(process)}::text::json where id <> ${node.lease.id}`
    await node.reaper.run()
    expect(await node.slots.holding('upload', 'user:ann')).toMatchObject([{ id: jobId }])
  })

  it('that was suspended for too long is refused when it continues, and changes nothing', async () => {
    const { child, jobId, node, lines } = await startOther()
    child.kill('SIGSTOP')
    const next = newJob()
    const { queued } = await node.slots.claim(next, waiting())
    await expire(node)
    await queued
    child.kill('SIGCONT')
    child.stdin!.write('end\n')
    const { value } = await within('its answer', lines.next())
    expect(value).toContain('others have ended it')
    expect(await node.slots.holding('upload', 'user:ann')).toEqual([next.record()])
    expect(await node.history.find(jobId)).toMatchObject({ job: { state: 'failed' } })
  })

  it('that is well records the end of its job', async () => {
    const { child, jobId, node, lines } = await startOther()
    child.stdin!.write('end\n')
    expect((await within('its answer', lines.next())).value).toBe('recorded')
    expect(await node.history.find(jobId)).toMatchObject({ job: { state: 'done' } })
  })
})

interface OtherServer {
  child: ChildProcess
  jobId: string
  lines: AsyncIterator<string>
  /** A server in this process. */
  node: TestNode
}

async function startOther(): Promise<OtherServer> {
  const database: TestDatabase = await testDatabase()
  const node = await openNode(database)
  const child = spawn(process.execPath, [script, database.url, database.schema], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const { value } = await within('its claim', lines.next())
  return { child, jobId: value, lines, node }
}

/** Lets the lease of every other server run out. */
async function expire(node: TestNode): Promise<void> {
  node.clock.skip(node.lease.leaseMs)
  await eventually('the other server is gone', async () => {
    await node.sql`
      update nodes set expires_at = clock_timestamp() - interval '1 second' where id <> ${node.lease.id}`
    await node.reaper.run()
    return (await node.sql`select from nodes`).length === 1
  })
}

function newJob(): Job {
  return new Job({ id: randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann' }, () => {}, systemClock)
}

function waiting() {
  return { waitMs: Number.POSITIVE_INFINITY, signal: new AbortController().signal }
}
