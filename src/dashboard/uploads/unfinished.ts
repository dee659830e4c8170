/** An upload that resumes when the same file is chosen again. */
export interface Unfinished {
  /** Of the upload and of its job. */
  id: string
  name: string
  size: number
  modified: number
}

/** Stores the unfinished uploads of an account in this browser, across reloads. */
export function openUnfinished(account: string) {
  const key = `filejobs-uploads ${location.host} ${account}`
  const read = (): Unfinished[] => parse(localStorage.getItem(key))
  const write = (all: Unfinished[]) => localStorage.setItem(key, JSON.stringify(all.slice(-mostKept)))
  const isOf = ({ name, size, modified }: Unfinished, wanted: string, file: File) =>
    name === wanted && size === file.size && modified === file.lastModified

  return {
    list: read,
    find: (name: string, file: File) => read().find((known) => isOf(known, name, file)),
    add(id: string, name: string, file: File): void {
      write([
        ...read().filter((known) => !isOf(known, name, file)),
        { id, name, size: file.size, modified: file.lastModified },
      ])
    },
    remove(id: string): void {
      write(read().filter((known) => known.id !== id))
    },
  }
}

export type UnfinishedUploads = ReturnType<typeof openUnfinished>

function parse(text: string | null): Unfinished[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(value) ? (value as Unfinished[]).filter((entry) => typeof entry?.id === 'string') : []
  } catch {
    return []
  }
}

const mostKept = 200
