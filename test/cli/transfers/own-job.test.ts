import { describe, expect, it } from 'vitest'
import type { Interrupt } from '../../../dist/cli/interrupt.js'
import type { Session } from '../../../dist/cli/session.js'
import { type OwnJob, runOwnJob } from '../../../dist/cli/transfers/own-job.js'
import { Problem } from '../../../dist/protocol/problems.js'

/** A session in which the test presses Ctrl-C and answers the stop. */
function openFakes(answerStop: () => Promise<unknown>) {
  let press: Parameters<Interrupt['listen']>[0] | undefined
  const said: string[] = []
  const session = {
    context: {
      interrupt: {
        listen(handler: NonNullable<typeof press>) {
          press = handler
          return () => {
            press = undefined
          }
        },
      },
    },
    output: { result: (_: unknown, text: string) => said.push(text), note: (text: string) => said.push(text) },
    api: async () => ({ send: answerStop }),
  } as unknown as Session
  return { session, said, press: () => press?.('SIGINT'), listens: () => press !== undefined }
}

const receipt = async () => ({ message: 'Stopped it.' })
const tooLate = () => Promise.reject(new Problem('already-published', 'too late'))

describe('Ctrl-C during a transfer', () => {
  it('waits for the receipt, even if the transfer fails first', async () => {
    const { session, said, press } = openFakes(receipt)
    const run = runOwnJob(session, async (job) => {
      job.begun = true
      press()
      throw new Problem('job-stopped', 'stopped by user:ann')
    })
    await expect(run).rejects.toMatchObject({ name: 'Exit', exit: 130 })
    expect(said).toEqual(['Stopped it.'])
  })

  it('keeps the result if the stop is too late, and reports the Ctrl-C', async () => {
    const { session, said, press, listens } = openFakes(tooLate)
    const finished = await runOwnJob(session, async (job) => {
      job.begun = true
      press()
      await job.checkpoint()
      return 'published'
    })
    expect(finished).toEqual({ result: 'published', interruptedBy: 'SIGINT' })
    expect([said, listens()]).toEqual([[], false])
  })

  it('keeps a complete export from being published if the stop succeeds', async () => {
    const { session, press } = openFakes(receipt)
    let visible = false
    const run = runOwnJob(session, async (job) => {
      job.begun = true
      press()
      await job.checkpoint()
      visible = true
    })
    await expect(run).rejects.toMatchObject({ exit: 130 })
    expect(visible).toBe(false)
  })

  it('requests no stop while the job is queued', async () => {
    const { session, said, press } = openFakes(() => Promise.reject(new Error('asked')))
    const run = runOwnJob(session, (job) => {
      press()
      return new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
    })
    await expect(run).rejects.toMatchObject({ exit: 130 })
    expect(said).toEqual(['Left. Nothing was under way on the server.'])
  })

  it('with keep stops a transfer that cannot be resumed, and says so', async () => {
    const { session, said, press } = openFakes(receipt)
    const work = async (job: OwnJob) => {
      job.begun = true
      press()
      throw new Problem('job-stopped', 'stopped by user:ann')
    }
    await expect(runOwnJob(session, work, { keep: true })).rejects.toMatchObject({ exit: 130 })
    expect(said).toEqual(['This transfer cannot be kept.', 'Stopped it.'])
  })

  it('exits even if the server cannot be reached', async () => {
    const { session, said, press } = openFakes(() => Promise.reject(new Error('nobody answers')))
    const run = runOwnJob(session, (job) => {
      job.begun = true
      press()
      return new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
    })
    await expect(run).rejects.toMatchObject({ exit: 130 })
    expect(said[0]).toMatch(/without a receipt.*nobody answers/)
  })

  it('does not hide an error of the transfer itself', async () => {
    const { session } = openFakes(receipt)
    await expect(runOwnJob(session, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })
})
