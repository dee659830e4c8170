import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JobEvent } from '../../../dist/protocol/jobs.js'
import { systemClock } from '../../../dist/server/clock.js'
import { type FeedReader, JobFeed } from '../../../dist/server/jobs/feed.js'
import type { Job } from '../../../dist/server/jobs/job.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import { runJob } from '../../../dist/server/jobs/run-job.js'
import { sendEvents } from '../../../dist/server/routes/responses/event-stream.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('the event feed', () => {
  it('gives the same bytes to listeners with the same filter', async () => {
    const { feed, startJob } = await openFeed()
    const job = await startJob(1)
    const [first, second, other] = [read(feed, 1), read(feed, 1), read(feed, 2)]
    for (const reader of [first, second, other]) drain(reader)
    job.pause()
    for (const reader of [first, second, other]) drain(reader)
    job.resume()
    const bytes = first.read()
    expect(bytes).not.toBeNull()
    expect(second.read()).toBe(bytes)
    expect(other.read()).toBeNull()
  })

  it('sends a listener that fell behind the log a resync and a new snapshot', async () => {
    const { feed, startJob } = await openFeed({ logBytes: 10_000 })
    const job = await startJob(1)
    const [slow, quick] = [read(feed, 1), read(feed, 1)]
    expect(drain(slow).map(({ event }) => event)).toEqual(['snapshot'])
    const heard: JobEvent[] = drain(quick)
    for (let round = 0; round < 100; round++) {
      job.pause()
      job.resume()
      heard.push(...drain(quick))
    }
    expect(heard.map(({ event }) => event)).toEqual(['snapshot', ...Array(200).fill('job')])
    const late = drain(slow)
    expect(late.map(({ event }) => event)).toEqual(['resync', 'snapshot'])
    job.pause()
    expect(drain(slow)).toEqual(drain(quick))
  })

  it('ends its listeners when it is closed, and accepts no more', async () => {
    const { feed } = await openFeed()
    let ended = 0
    const listening = { accountId: 1, format: 'ndjson' as const, after: undefined, onNews: () => {} }
    feed.listen({ ...listening, onEnd: () => ended++ })
    feed.close()
    expect(ended).toBe(1)
    expect(() => feed.listen({ ...listening, onEnd: () => ended++ })).toThrow('shutting down')
  })
})

describe('an event listener that does not read', () => {
  it('is sent no more events, and gets a resync when it reads again', async () => {
    const { feed, startJob } = await openFeed({ logBytes: 500_000 })
    const job = await startJob(1)
    const sending: http.ServerResponse[] = []
    const url = await serve((_, outgoing) => {
      sending.push(outgoing)
      void sendEvents(outgoing, {}, new AbortController().signal, (onNews, onEnd) =>
        feed.listen({ accountId: 1, format: 'ndjson', after: undefined, onNews, onEnd }),
      )
    })
    const connection = await connectTo(url)
    connection.send(head('GET /', null))
    await connection.says(/"event":"snapshot"/)
    connection.socket.pause()
    const outgoing = sending[0]!
    let most = 0
    let quietRounds = 0
    await eventually(
      'the connection is full, and stays so',
      async () => {
        for (let round = 0; round < 500; round++) {
          job.pause()
          job.resume()
        }
        await new Promise(setImmediate)
        most = Math.max(most, outgoing.writableLength)
        quietRounds = outgoing.writableNeedDrain ? quietRounds + 1 : 0
        return quietRounds > 20
      },
      60_000,
    )
    expect(most).toBeLessThan(1_000_000)
    connection.socket.resume()
    const afterResync = () => connection.text.split('"event":"resync","job":null}')[1]
    await eventually('it gets a resync', () => afterResync()?.includes('"event":"snapshot"'))
    job.pause()
    await eventually('it hears the latest', () => afterResync()?.includes('"state":"paused"'))
  })
})

/** A feed of real jobs, with the way to start one. */
async function openFeed(options: { logBytes?: number } = {}) {
  const history = await openJobHistory(await temporaryFolder(), () => {})
  const slots = new LocalSlots({ history, lastSeq: history.lastSeq, jobsPerAccount: 100, clock: systemClock })
  const jobs = new Jobs(history, { slots, clock: systemClock })
  const feed = new JobFeed(jobs, { clock: systemClock, ...options })
  onTestFinished(async () => {
    feed.close()
    await history.close()
  })
  const wait = { waitMs: 0, signal: new AbortController().signal }
  const startJob = async (accountId: number): Promise<Job> => {
    const plan = { kind: 'upload', accountId, account: `user:${accountId}`, file: 'a', totalBytes: 100 } as const
    return (await runJob(jobs.admit(plan, wait), () => new Promise(() => {}))).job
  }
  return { feed, startJob }
}

function read(feed: JobFeed, accountId: number): FeedReader {
  return feed.listen({ accountId, format: 'ndjson', after: undefined, onNews: () => {}, onEnd: () => {} })
}

/** All that there is to read now. */
function drain(reader: FeedReader): JobEvent[] {
  let text = ''
  for (let bytes = reader.read(); bytes; bytes = reader.read()) text += bytes.toString()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JobEvent)
}

async function serve(handle: http.RequestListener): Promise<string> {
  const server = http.createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
