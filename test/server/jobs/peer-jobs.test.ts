import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../dist/server/clock.js'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { Job } from '../../../dist/server/jobs/job.js'
import { PeerJobs } from '../../../dist/server/jobs/peer-jobs.js'
import type { BusMessage } from '../../../dist/server/stores/bus.js'
import type { HistoryEntry } from '../../../dist/server/stores/history.js'
import { noRemoteJobs } from '../../../dist/server/stores/remote-jobs.js'

describe('a job of another server, whose record is too long for a message', () => {
  it('stays as a newer message says, whatever the history answers to an older one', async () => {
    const { peers, answers, told } = open()
    const { id, paused, running } = records()
    peers.receive({ changed: id })
    peers.receive({ job: paused, accountId: 1 })
    answers[0]!.resolve({ seq: 1, accountId: 1, job: running })
    await answers[0]!.promise
    expect(told).toEqual(['paused'])
    expect(peers.unfinished().map((job) => job.record().state)).toEqual(['paused'])
  })

  it('is what the history answers to the last message, whichever answer comes first', async () => {
    const { peers, answers, told } = open()
    const { id, paused, running } = records()
    peers.receive({ changed: id })
    peers.receive({ changed: id })
    answers[1]!.resolve({ seq: 1, accountId: 1, job: paused })
    await answers[1]!.promise
    answers[0]!.resolve({ seq: 1, accountId: 1, job: running })
    await answers[0]!.promise
    expect(told).toEqual(['paused'])
  })

  it('does not come back when this server has taken it over and ended it', async () => {
    const { peers, answers } = open()
    const { id, running } = records()
    peers.receive({ changed: id })
    peers.forget(id)
    answers[0]!.resolve({ seq: 1, accountId: 1, job: running })
    await answers[0]!.promise
    expect(peers.unfinished()).toEqual([])
  })
})

/** `answers`: of the history, in the order of the questions. `told`: the states that observers were told. */
function open() {
  const answers: ReturnType<typeof deferred<HistoryEntry | undefined>>[] = []
  const peers = new PeerJobs({
    bus: { tell() {}, onMessage: (_: (message: BusMessage, from: number) => void) => () => {}, onGap: () => () => {} },
    remote: noRemoteJobs,
    history: {
      find() {
        answers.push(deferred())
        return answers.at(-1)!.promise
      },
    },
    clock: systemClock,
    isOwn: () => false,
    onGap() {},
    onError(error) {
      throw error
    },
  })
  const told: string[] = []
  peers.observe((job) => told.push(job.record().state))
  return { peers, answers, told }
}

function records() {
  const id = crypto.randomUUID()
  const job = new Job({ id, kind: 'upload', accountId: 1, account: 'user:ann' }, () => {}, systemClock)
  job.start()
  const running = job.record()
  job.pause()
  return { id, running, paused: job.record() }
}
