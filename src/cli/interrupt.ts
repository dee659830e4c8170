/** The signals that end work gracefully, with their exit codes. */
export const signalExits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
export type EndingSignal = keyof typeof signalExits

/**
 * Under npm and npx one Ctrl-C arrives twice, from the terminal and forwarded by npm: a second one this soon is the
 * same.
 */
const echoMs = 150

/** Ctrl-C, SIGTERM and SIGHUP, for work that has to be ended gracefully. */
export interface Interrupt {
  /**
   * Calls the handler at the first signal; a second one exits the process at once. Without a handler, signals have
   * their default effect. So does SIGHUP (the terminal was closed), unless `heedsHangUp` returns true at that moment
   * because there is work to end; by default it returns false. Returns a function that removes the handler. Only one
   * handler can be set at a time.
   */
  listen(handler: (signal: EndingSignal) => void, heedsHangUp?: () => boolean): () => void
  /** Calls the handler at each SIGHUP, which then ends nothing. Returns a function that removes the handler. */
  onHangUp(handler: () => void): () => void
}

export function createInterrupt(): Interrupt {
  return {
    listen(handler, heedsHangUp) {
      let firstAt: number | undefined
      const receive = (signal: EndingSignal) => {
        if (firstAt !== undefined) {
          if (performance.now() - firstAt > echoMs) process.exit(signalExits[signal])
          return
        }
        if (signal === 'SIGHUP' && !heedsHangUp?.()) {
          process.off(signal, receive)
          process.kill(process.pid, signal)
          return
        }
        firstAt = performance.now()
        handler(signal)
      }
      const all = Object.keys(signalExits) as EndingSignal[]
      const signals = all.filter((signal) => signal !== 'SIGHUP' || heedsHangUp)
      for (const signal of signals) process.on(signal, receive)
      return () => {
        for (const signal of signals) process.off(signal, receive)
      }
    },
    onHangUp(handler) {
      process.on('SIGHUP', handler)
      return () => process.off('SIGHUP', handler)
    },
  }
}
