import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Refusal } from '../api.js'
import { healed } from '../live/shared-stream.js'

export interface Loaded<T> {
  value: T | undefined
  error: unknown
  /** Loads again; the current value is kept until then. */
  reload(): void
}

export interface LoadedOptions {
  /** Reload regularly while the page is visible, for changes without events; default false. */
  watch?: boolean
}

/**
 * Loads a value, again when `key` changes and when the connection is restored. A late response to an earlier request is
 * ignored.
 */
export function useLoaded<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { watch = false }: LoadedOptions = {},
): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: unknown }>({ key })
  const [attempt, setAttempt] = useState(0)
  const loadNow = useRef(load)
  loadNow.current = load
  const isLoading = useRef(false)
  useEffect(() => {
    const abort = new AbortController()
    isLoading.current = true
    loadNow
      .current(abort.signal)
      .then((value) => setState({ key, value }))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setState((before) => (isGone(error) ? { key, error } : { ...before, key, error }))
      })
      .finally(() => {
        if (!abort.signal.aborted) isLoading.current = false
      })
    return () => abort.abort()
  }, [key, attempt, healed.value])
  const reload = useCallback(() => setAttempt((before) => before + 1), [])
  useEffect(() => {
    if (!watch) return
    const look = () => {
      if (document.visibilityState === 'visible' && !isLoading.current) reload()
    }
    const timer = setInterval(look, watchEveryMs)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [watch])
  const isCurrent = state.key === key
  return { value: isCurrent ? state.value : undefined, error: isCurrent ? state.error : undefined, reload }
}

/** The previous value is no longer valid. */
function isGone(error: unknown): boolean {
  return error instanceof Refusal && [403, 404, 410].includes(error.status)
}

const watchEveryMs = 5000
