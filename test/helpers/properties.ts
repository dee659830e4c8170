import fc from 'fast-check'
import { expect } from 'vitest'

/** How many times as many runs as in the ordinary suite: `npm run soak` sets it. */
const factor = Number(process.env.FILEJOBS_PROPERTY_FACTOR ?? 1)

/**
 * Checks a property, `runs` times in the ordinary suite, and for the examples. A failure prints the seed and the path that
 * repeat it.
 */
export function check<T>(property: fc.IProperty<T>, runs = 100, examples: T[] = []): void {
  fc.assert(property, { numRuns: announce(runs), examples })
}

/** As `check`, for an asynchronous property. */
export async function checkAsync<T>(property: fc.IAsyncProperty<T>, runs = 100, examples: T[] = []): Promise<void> {
  await fc.assert(property, { numRuns: announce(runs), examples })
}

function announce(runs: number): number {
  if (factor === 1) return runs
  const more = Math.max(runs, Math.min(runs * factor, mostRuns))
  console.log(`${more} runs: ${expect.getState().currentTestName}`)
  return more
}

/** In the soak: a property that has many runs in the ordinary suite needs no more than new seeds. */
const mostRuns = 10_000
