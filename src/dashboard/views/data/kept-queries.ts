/** A query that was saved under a name. */
export interface SavedQuery {
  name: string
  sql: string
}

/** The queries of an account that this browser remembers: those that ran, newest first, and those that were saved. */
export function openKeptQueries(account: string) {
  const key = (what: string) => `filejobs-queries-${what} ${location.host} ${account}`
  const history = (): string[] => read(key('history')).filter((each): each is string => typeof each === 'string')
  const saved = (): SavedQuery[] => read(key('saved')).filter(isSaved)
  const write = (what: string, all: readonly unknown[]) => {
    try {
      localStorage.setItem(key(what), JSON.stringify(all))
    } catch {
      // Without room for them they are forgotten.
    }
  }
  return {
    history,
    saved,
    /** One that ran before moves to the front. */
    note(sql: string): void {
      write('history', [sql, ...history().filter((other) => other !== sql)].slice(0, mostKept))
    },
    /** Replaces one of the same name. */
    save(query: SavedQuery): void {
      const others = saved().filter(({ name }) => name !== query.name)
      write(
        'saved',
        [...others, query].toSorted((one, other) => one.name.localeCompare(other.name)),
      )
    },
    remove(name: string): void {
      write(
        'saved',
        saved().filter((query) => query.name !== name),
      )
    },
  }
}

function read(key: string): unknown[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

function isSaved(value: unknown): value is SavedQuery {
  const { name, sql } = (value ?? {}) as Partial<SavedQuery>
  return typeof name === 'string' && typeof sql === 'string'
}

const mostKept = 50
