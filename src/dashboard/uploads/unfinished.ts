/** An upload that resumes when the same file, or the same files, are chosen again. */
export interface Unfinished {
  /** The id of the upload and of its job. */
  id: string
  /** The name of one file; for several, their folder or their number. */
  name: string
  size: number
  modified: number
  /** How several files, or an empty folder, were chosen; undefined for one file. */
  many?: 'files' | 'folder' | 'drop'
  /** The folder into which they were uploaded; undefined for the top. */
  into?: string
}

/** What identifies a file besides its name. */
export type FileIdentity = Pick<File, 'size' | 'lastModified'> & Pick<Unfinished, 'many' | 'into'>

/** Stores the unfinished uploads of an account in this browser, across reloads. */
export function openUnfinished(account: string) {
  const key = `filejobs-uploads ${location.host} ${account}`
  const read = (): Unfinished[] => parse(localStorage.getItem(key))
  const write = (all: Unfinished[]) => localStorage.setItem(key, JSON.stringify(all.slice(-maxKept)))
  const isOf = ({ name, size, modified }: Unfinished, wanted: string, file: FileIdentity) =>
    name === wanted && size === file.size && modified === file.lastModified

  return {
    list: read,
    find: (name: string, file: FileIdentity) => read().find((known) => isOf(known, name, file)),
    add(id: string, name: string, file: FileIdentity): void {
      const { size, lastModified: modified, many, into } = file
      write([
        ...read().filter((known) => !isOf(known, name, file)),
        { id, name, size, modified, ...(many && { many }), ...(into && { into }) },
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

const maxKept = 200
