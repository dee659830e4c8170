import fc from 'fast-check'
import { expect } from 'vitest'

/** How many times as many runs as in the ordinary suite: `npm run soak` sets it. */
const factor = Number(process.env.FILEJOBS_PROPERTY_FACTOR ?? 1)

/** Checks a property, `runs` times in the ordinary suite. A failure prints the seed and the path that repeat it. */
export function check<T>(property: fc.IProperty<T>, runs = 100): void {
  fc.assert(property, { numRuns: announce(runs) })
}

/** As `check`, for an asynchronous property. */
export async function checkAsync<T>(property: fc.IAsyncProperty<T>, runs = 100): Promise<void> {
  await fc.assert(property, { numRuns: announce(runs) })
}

function announce(runs: number): number {
  if (factor > 1) console.log(`${runs * factor} runs: ${expect.getState().currentTestName}`)
  return runs * factor
}
