import type { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { asProblem } from '../jobs/outcome.js'

/** Reserves space for a body without a declared length while it arrives. */
export function watchGrowth(
  clock: Clock,
  takeRoom: () => Promise<void>,
  onFull: (error: Problem) => void,
): { end(): void } {
  let busy = false
  const end = clock.every(growthCheckMs, async () => {
    if (busy) return
    busy = true
    try {
      await takeRoom()
    } catch (error) {
      onFull(asProblem(error))
    } finally {
      busy = false
    }
  })
  return { end }
}

const growthCheckMs = 250
