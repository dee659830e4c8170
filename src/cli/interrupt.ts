/** The signals that end work in good order, with the exit codes that tell of them. */
export const signalExits = { SIGINT: 130, SIGTERM: 143 } as const
export type EndingSignal = keyof typeof signalExits

/** Under npm and npx one Ctrl-C comes twice, from the terminal and passed on by npm: so soon after, it is the same one. */
const echoMs = 150

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
      let firstAt: number | undefined
      const receive = (signal: EndingSignal) => {
        if (firstAt !== undefined) {
          if (performance.now() - firstAt > echoMs) process.exit(signalExits[signal])
          return
        }
        firstAt = performance.now()
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
