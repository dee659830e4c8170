import { describe, expect, it } from 'vitest'
import { Problem } from '../../../dist/protocol/problems.js'
import { RequestTurns } from '../../../dist/server/transfers/request-turns.js'

const takenOver = new Problem('taken-over', 'A newer one came.')
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

describe('the turns of requests', () => {
  it('never overlap, also when many come at once', async () => {
    const turns = new RequestTurns()
    let atWork = 0
    let most = 0
    const work = async (signal: AbortSignal) => {
      atWork++
      most = Math.max(most, atWork)
      if (!signal.aborted) await Promise.race([untilAborted(signal), new Promise((resolve) => setTimeout(resolve, 5))])
      atWork--
    }
    await Promise.all(Array.from({ length: 20 }, () => turns.run(null, takenOver, work)))
    expect({ most, atWork, isBusy: turns.isBusy }).toEqual({ most: 1, atWork: 0, isBusy: false })
  })

  it('are ended by a newer request, which goes on once the one before has ended', async () => {
    const turns = new RequestTurns()
    const order: string[] = []
    const first = turns.run(null, takenOver, async (signal) => {
      await untilAborted(signal)
      order.push(`first ended: ${signal.reason.code}`)
    })
    await turns.run(null, takenOver, async () => void order.push('second'))
    await first
    expect(order).toEqual(['first ended: taken-over', 'second'])
  })

  it('are refused once they are closed', async () => {
    const turns = new RequestTurns()
    const first = turns.run(null, takenOver, untilAborted)
    await turns.close(new Problem('shutting-down', 'Later.'))
    await first
    await expect(turns.run(null, takenOver, async () => {})).rejects.toMatchObject({ code: 'shutting-down' })
  })
})
