/** A signal that follows another one, and aborts when time is up. */
export interface TimeLimit {
  readonly signal: AbortSignal
  /** Begins the time anew. */
  restart(): void
  /** The time does not count until `restart`. */
  stop(): void
  /** Releases the timer and the other signal; `abort` also aborts the signal. */
  end(how?: 'abort'): void
}

/** Aborts with an error with the code `ETIMEDOUT`. */
export function limitTime(limitMs: number, outer?: AbortSignal): TimeLimit {
  const controller = new AbortController()
  const follow = () => controller.abort(outer?.reason)
  if (outer?.aborted) follow()
  else outer?.addEventListener('abort', follow, { once: true })
  let timer: ReturnType<typeof setTimeout> | undefined
  const restart = () => {
    clearTimeout(timer)
    if (limitMs === Number.POSITIVE_INFINITY) return
    timer = setTimeout(() => {
      controller.abort(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }))
    }, limitMs)
  }
  restart()
  return {
    signal: controller.signal,
    restart,
    stop: () => clearTimeout(timer),
    end(how) {
      clearTimeout(timer)
      outer?.removeEventListener('abort', follow)
      if (how === 'abort') controller.abort()
    },
  }
}

/** Waits. Rejects with the signal's reason when it aborts. */
export function waitMs(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const leave = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', leave, { once: true })
  })
}
