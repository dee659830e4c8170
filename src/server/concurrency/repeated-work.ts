import type { Clock } from '../clock.js'

export interface RepeatedWorkOptions {
  clock: Pick<Clock, 'every'>
  /** Milliseconds between two starts. */
  everyMs: number
  /** Called with the first of a series of failures: the next one is reported after a success. */
  onError: (error: unknown) => void
}

export interface RepeatedWork {
  /** Does it now, or joins the run that is under way. Never rejects. */
  run(): Promise<void>
  /** Aborts the signal of the work. Resolves when nothing runs. */
  close(): Promise<void>
}

/** Does some work in the background again and again, one run at a time. */
export function repeatWork(
  work: (closing: AbortSignal) => Promise<void>,
  { clock, everyMs, onError }: RepeatedWorkOptions,
): RepeatedWork {
  const closed = new AbortController()
  let running: Promise<void> | undefined
  let isFailing = false

  async function attempt(): Promise<void> {
    try {
      await work(closed.signal)
      isFailing = false
    } catch (error) {
      if (!isFailing && !closed.signal.aborted) onError(error)
      isFailing = true
    }
  }

  function run(): Promise<void> {
    running ??= attempt().finally(() => {
      running = undefined
    })
    return running
  }

  const cancel = clock.every(everyMs, () => void run())
  return {
    run,
    async close() {
      cancel()
      closed.abort()
      await running
    },
  }
}
