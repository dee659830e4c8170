const limitMs = 15_000
const pauseMs = 20

/** Asks until the answer is neither undefined nor false; throws after 15 s, saying what never came. */
export async function until<T>(
  label: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`Waited in vain until ${label}.`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
