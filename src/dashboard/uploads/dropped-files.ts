import { noteHandle } from './handle-of-file.js'

declare global {
  interface DataTransferItem {
    getAsFileSystemHandle?(): Promise<FileSystemHandle | null>
  }
}

/** A file or empty folder to upload, with its name, which includes the folders that it was dropped with. */
export interface ChosenFile {
  /** That of an empty folder ends with a slash. */
  name: string
  /** Of an empty folder, a file without bytes. */
  file: File
  /** The folder that was open when it was chosen, which the name begins with; default: none. */
  into?: string
}

/** What was chosen while a folder was open, whose name ends with a slash. */
export function inFolder(files: readonly ChosenFile[], into: string): ChosenFile[] {
  return files.map(({ name, file }) => ({ name: into + name, file, into }))
}

export function isEmptyFolder({ name }: ChosenFile): boolean {
  return name.endsWith('/')
}

/** The files of an input. An input for folders provides their paths, but browsers leave out empty folders. */
export function chosenFiles(list: FileList | null): ChosenFile[] {
  return [...(list ?? [])].map((file) => ({ name: nameAsSent(file.webkitRelativePath || file.name), file }))
}

/** All dropped files and empty folders, including the contents of folders. Call it during the drop event. */
export async function droppedFiles(transfer: DataTransfer): Promise<ChosenFile[]> {
  // The list is cleared when the event handler returns, so get the entries first.
  const dropped = [...transfer.items].flatMap((item) => {
    const entry = item.webkitGetAsEntry()
    // Pages over plain HTTP get no handles.
    return entry ? [{ entry, handle: item.getAsFileSystemHandle?.().catch(() => null) }] : []
  })
  const files = await Promise.all(
    dropped.map(async ({ entry, handle: later }) => {
      const [chosen, handle] = await Promise.all([filesOf(entry), later])
      if (handle) for (const one of chosen) if (!isEmptyFolder(one)) noteHandle(one.file, handle)
      return chosen
    }),
  )
  return files.flat()
}

/** Those of a folder are read together: one after another, 200 small files would take longer to find than to send. */
async function filesOf(entry: FileSystemEntry): Promise<ChosenFile[]> {
  const name = nameAsSent(entry.fullPath.replace(/^\//, ''))
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ name, file }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const files: ChosenFile[] = []
  for (let isEmpty = true; ; isEmpty = false) {
    // At most a hundred entries per call, until it returns none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return isEmpty ? [{ name: `${name}/`, file: nothing }] : files
    for (const below of await Promise.all(some.map(filesOf))) files.push(...below)
  }
}

/** The server accepts names in Unicode NFC only, but macOS provides NFD. */
export function nameAsSent(path: string): string {
  return path.normalize('NFC')
}

/** Without a time, so that files are the same ones with and without the empty folders around them. */
const nothing = new File([], '', { lastModified: 0 })
