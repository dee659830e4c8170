/** The signals that end work in good order, with the exit codes that tell of them. */
export const signalExits = { SIGINT: 130, SIGTERM: 143 } as const
export type EndingSignal = keyof typeof signalExits

/** Waits for the first of the signals. A second one ends the process at once. */
export function untilSignal(signals: readonly EndingSignal[]): Promise<EndingSignal> {
  return new Promise((resolve) => {
    let seen = false
    for (const signal of signals) {
      process.on(signal, () => {
        if (seen) process.exit(signalExits[signal])
        seen = true
        resolve(signal)
      })
    }
  })
}
