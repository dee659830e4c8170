import { useEffect, useState } from 'preact/hooks'
import { healed } from '../live/shared-stream.js'

/** Imports a module of the page whose default export is what is wanted; the same function each time. */
export type LoadModule<Part> = () => Promise<{ default: Part }>

export interface LoadedPart<Part> {
  /** undefined until it is loaded. */
  part: Part | undefined
  /** Of the last attempt, if that failed; undefined otherwise. */
  error: unknown
  retry(): void
}

/** What was loaded once is there at once. */
const loaded = new Map<unknown, { default: unknown }>()

/** Loads code when it is first wanted, and again when the connection is restored, if the server did not answer. */
export function useModule<Part>(load: LoadModule<Part>, isWanted = true): LoadedPart<Part> {
  const [module, setModule] = useState(loaded.get(load) as { default: Part } | undefined)
  const [error, setError] = useState<unknown>()
  const [attempt, setAttempt] = useState(0)
  const isMissing = isWanted && module === undefined
  useEffect(() => {
    if (!isMissing) return
    let isHere = true
    load().then(
      (arrived) => {
        loaded.set(load, arrived)
        if (isHere) setModule(arrived)
      },
      (reason: unknown) => isHere && setError(reason),
    )
    return () => {
      isHere = false
    }
  }, [isMissing, attempt, healed.value])
  return { part: module?.default, error, retry: () => setAttempt((before) => before + 1) }
}
