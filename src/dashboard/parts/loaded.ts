import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { healed } from '../live/shared-stream.js'

export interface Loaded<T> {
  value: T | undefined
  error: unknown
  /** Asks again; what is there stays until the new answer is. */
  reload(): void
}

/**
 * What `load` gives, asked for again when `key` changes and when the way to the server is whole again. An answer that
 * comes late, after another question, is dropped.
 */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: unknown }>({ key })
  const [turn, setTurn] = useState(0)
  const loadNow = useRef(load)
  loadNow.current = load
  useEffect(() => {
    const abort = new AbortController()
    loadNow
      .current(abort.signal)
      .then((value) => setState({ key, value }))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setState((before) => ({ ...before, key, error }))
      })
    return () => abort.abort()
  }, [key, turn, healed.value])
  const reload = useCallback(() => setTurn((before) => before + 1), [])
  const isCurrent = state.key === key
  return { value: isCurrent ? state.value : undefined, error: isCurrent ? state.error : undefined, reload }
}
