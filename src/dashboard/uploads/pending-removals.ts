import { signal } from '@preact/signals'
import { csrfHeader, filePath } from '../../protocol/routes.js'
import { send } from '../api.js'

export interface Removal {
  name: string
  undo(): void
}

/** Names that are as good as removed: they are not shown, and the request goes out when the time for an undo is over. */
export const pendingRemovals = signal<ReadonlySet<string>>(new Set())

const timers = new Map<string, ReturnType<typeof setTimeout>>()

export const undoMs = 10_000

/** Removes a file in ten seconds, unless it is undone. `onFailure` hears where the server refuses then. */
export function removeSoon(name: string, onFailure: (error: unknown) => void): Removal {
  pendingRemovals.value = new Set([...pendingRemovals.peek(), name])
  timers.set(
    name,
    setTimeout(() => {
      send('DELETE', filePath(name))
        .catch(onFailure)
        .finally(() => forget(name))
    }, undoMs),
  )
  return { name, undo: () => forget(name) }
}

function forget(name: string): void {
  clearTimeout(timers.get(name))
  timers.delete(name)
  pendingRemovals.value = new Set([...pendingRemovals.peek()].filter((other) => other !== name))
}

// Whoever leaves the page does not undo any more.
addEventListener('pagehide', () => {
  for (const name of timers.keys()) {
    fetch(filePath(name), { method: 'DELETE', keepalive: true, headers: { [csrfHeader]: '1' } }).catch(() => {})
  }
  timers.clear()
})
