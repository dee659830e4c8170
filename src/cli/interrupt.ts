/** The signals that end work in good order, with the exit codes that tell of them. */
export const signalExits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
export type EndingSignal = keyof typeof signalExits

/** Under npm and npx one Ctrl-C comes twice, from the terminal and passed on by npm: so soon after, it is the same one. */
const echoMs = 150

/** Ctrl-C, SIGTERM and SIGHUP, for those who have something to bring to an end. */
export interface Interrupt {
  /**
   * Calls the handler at the first signal; a second one ends the process at once. While nobody listens, signals do what
   * they always do. SIGHUP, the end of the terminal, does so too unless `heedsHangUp` says at that moment that something has
   * to be brought to an end; by default nothing has. Answers with the way to stop listening. Only one may listen at a time.
   */
  listen(handler: (signal: EndingSignal) => void, heedsHangUp?: () => boolean): () => void
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
  }
}
