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
  // The list is cleared when the event handler returns, so ask for everything first. The page stands still while it waits for an
  // entry, for which the browser first answers all earlier requests: ask for the handles after the last entry.
  const items = [...transfer.items].filter(({ kind }) => kind === 'file')
  const entries = items.map((item) => (needsEntry(item) ? item.webkitGetAsEntry() : null))
  const dropped = items.map((item, index) => ({
    entry: entries[index]!,
    file: item.getAsFile(),
    handle: item.getAsFileSystemHandle?.().catch(() => null),
  }))
  return (await Promise.all(dropped.map(filesOfItem))).flat()
}

/** Folders have no type, but for those with a name like that of a file. Pages over plain HTTP get no handles. */
function needsEntry({ type, getAsFileSystemHandle }: DataTransferItem): boolean {
  return type === '' || getAsFileSystemHandle === undefined
}

interface DroppedItem {
  entry: FileSystemEntry | null
  /** Of a folder, one that cannot be read. */
  file: File | null
  /** Missing without https. The browser gives none for some folders of the system. */
  handle: Promise<FileSystemHandle | null> | undefined
}

async function filesOfItem({ entry, file, handle: later }: DroppedItem): Promise<ChosenFile[]> {
  const [chosen, handle] = await Promise.all([entry && filesOf(entry), later])
  if (!handle) return chosen ?? (file ? [{ name: nameAsSent(file.name), file }] : [])
  const files = chosen ?? (await filesOfHandle(handle))
  for (const one of files) if (!isEmptyFolder(one)) noteHandle(one.file, handle)
  return files
}

/** The file, or all files and empty folders of the folder, with their names from it on. Throws if something is gone. */
export async function filesOfHandle(handle: FileSystemHandle, above = ''): Promise<ChosenFile[]> {
  const name = above + nameAsSent(handle.name)
  if (handle.kind === 'file') return [{ name, file: await (handle as FileSystemFileHandle).getFile() }]
  const files: ChosenFile[][] = []
  for await (const inside of (handle as FileSystemDirectoryHandle).values()) {
    files.push(await filesOfHandle(inside, `${name}/`))
  }
  return files.length > 0 ? files.flat() : [emptyFolder(name)]
}

/** Those of a folder are read together: one after another, 200 small files would take longer to find than to send. */
async function filesOf(entry: FileSystemEntry): Promise<ChosenFile[]> {
  const name = nameAsSent(entry.fullPath.replace(/^\//, ''))
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    return [{ name, file }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const files: ChosenFile[][] = []
  for (;;) {
    // At most a hundred entries per call, until it returns none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return files.length > 0 ? files.flat() : [emptyFolder(name)]
    files.push(...(await Promise.all(some.map(filesOf))))
  }
}

function emptyFolder(name: string): ChosenFile {
  return { name: `${name}/`, file: nothing }
}

/** The server accepts names in Unicode NFC only, but macOS provides NFD. */
export function nameAsSent(path: string): string {
  return path.normalize('NFC')
}

/** Without a time, so that files are the same ones with and without the empty folders around them. */
const nothing = new File([], '', { lastModified: 0 })
