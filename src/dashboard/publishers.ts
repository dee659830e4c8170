/** Remembers in this browser which ops accounts' files an account has looked at; the API lists no ops accounts for clients. */
export function openPublishers(account: string) {
  const key = `filejobs-publishers ${location.host} ${account}`
  const list = (): string[] => parse(localStorage.getItem(key))
  const without = (ops: string) => list().filter((known) => known.toLowerCase() !== ops.toLowerCase())
  const write = (all: string[]) => localStorage.setItem(key, JSON.stringify(all.slice(0, mostKept)))
  return {
    /** The newest first. */
    list,
    /** One that is known keeps its place. */
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
