import type { Clock } from '../clock.js'

/** Calls `load` once in `ms` at most: later calls share its last result, also while it is loading. A failure is not kept. */
export function remember<T>(load: () => Promise<T>, ms: number, clock: Pick<Clock, 'monotonicMs'>): () => Promise<T> {
  let last: { value: Promise<T>; at: number } | null = null
  return () => {
    const now = clock.monotonicMs()
    if (last && now - last.at < ms) return last.value
    const loading = { value: load(), at: now }
    last = loading
    loading.value.catch(() => {
      if (last === loading) last = null
    })
    return loading.value
  }
}
