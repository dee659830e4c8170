/** A file to upload under a name, which keeps the folders that it was dropped with. */
export interface ChosenFile {
  name: string
  file: File
}

/** The files of an input; one that takes folders tells their paths. */
export function chosenFiles(list: FileList | null): ChosenFile[] {
  return [...(list ?? [])].map((file) => ({ name: nameOf(file.webkitRelativePath || file.name), file }))
}

/** Everything that was dropped, folders with all that is in them. Must be called while the drop is handled. */
export async function droppedFiles(transfer: DataTransfer): Promise<ChosenFile[]> {
  // The list is emptied as soon as the handler returns, so that the entries are taken first.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  const files: ChosenFile[] = []
  for (const entry of entries) for await (const file of filesOf(entry)) files.push(file)
  return files
}

async function* filesOf(entry: FileSystemEntry): AsyncGenerator<ChosenFile> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
    yield { name: nameOf(entry.fullPath.replace(/^\//, '')), file }
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const one of some) yield* filesOf(one)
  }
}

/** The server takes names in Unicode normalization form C only, and macOS gives another one. */
function nameOf(path: string): string {
  return path.normalize('NFC')
}
