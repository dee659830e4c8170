import { setTimeout as delay } from 'node:timers/promises'
import { isFleet } from '../run/is-cluster.js'

/** In milliseconds. A test that has lost a server of a fleet waits in vain, and is to be run again soon. */
const longest = isFleet ? 40_000 : 100_000

/** Looks again and again until `look` gives something truthy, and returns it. Fails with `what` after `limitMs`. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = longest,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const end = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found) return found as Exclude<T, false | null | undefined | 0 | ''>
    if (performance.now() > end) throw new Error(`Not within ${limitMs} ms: ${what}`)
    await delay(10)
  }
}

/** The promise's outcome, or a failure with `what` after `limitMs`. */
export async function within<T>(what: string, promise: Promise<T>, limitMs = longest): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not within ${limitMs} ms: ${what}`)), limitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
