/**
 * Remembers in this browser the ops accounts that a client account has opened; the API does not list them for clients.
 */
export function openPublishers(account: string) {
  const key = `filejobs-publishers ${location.host} ${account}`
  const list = (): string[] => parse(localStorage.getItem(key))
  const without = (ops: string) => list().filter((known) => known.toLowerCase() !== ops.toLowerCase())
  const write = (all: string[]) => localStorage.setItem(key, JSON.stringify(all.slice(0, mostKept)))
  return {
    /** Newest first. */
    list,
    /** A known one keeps its position. */
    add(ops: string): void {
      const others = without(ops)
      if (others.length === list().length) write([ops, ...others])
    },
    remove: (ops: string) => write(without(ops)),
  }
}

function parse(text: string | null): string[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []
  } catch {
    return []
  }
}

const mostKept = 8
