import type { Clock } from '../../clock.js'

export interface RetryOptions {
  clock: Pick<Clock, 'after'>
  /** Aborted when the server closes. */
  closing: AbortSignal
  /** Called with the first failure only. */
  onError: (error: unknown) => void
}

/** Repeats what the database did not do until it does, or until the server closes. Never rejects. */
export async function retryUntilDone(
  work: () => Promise<void>,
  { clock, closing, onError }: RetryOptions,
): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      return await work()
    } catch (error) {
      if (failures === 0) onError(error)
      if (closing.aborted) return
      await pause(clock, closing)
    }
  }
}

function pause(clock: Pick<Clock, 'after'>, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      closing.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(retryMs, done)
    closing.addEventListener('abort', done)
  })
}

const retryMs = 250
