/** The signals that end work in good order, with the exit codes that tell of them. */
export const signalExits = { SIGINT: 130, SIGTERM: 143 } as const
export type EndingSignal = keyof typeof signalExits

/** Ctrl-C and SIGTERM, for those who have something to bring to an end. */
export interface Interrupt {
  /**
   * Calls the handler at the first signal; a second one ends the process at once. While nobody listens, signals do what
   * they always do. Answers with the way to stop listening. Only one may listen at a time.
   */
  listen(handler: (signal: EndingSignal) => void): () => void
}

/** SIGHUP is left alone: what can go on without a terminal goes on under nohup, and else the process ends at once. */
export function createInterrupt(): Interrupt {
  return {
    listen(handler) {
      let seen = false
      const receive = (signal: EndingSignal) => {
        if (seen) process.exit(signalExits[signal])
        seen = true
        handler(signal)
      }
      const signals = Object.keys(signalExits) as EndingSignal[]
      for (const signal of signals) process.on(signal, receive)
      return () => {
        for (const signal of signals) process.off(signal, receive)
      }
    },
  }
}
