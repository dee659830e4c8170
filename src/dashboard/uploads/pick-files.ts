import { type ChosenFile, filesOfHandle, isEmptyFolder } from './dropped-files.js'
import { noteHandle } from './handle-of-file.js'

declare global {
  interface Window {
    showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>
    showDirectoryPicker?(): Promise<FileSystemDirectoryHandle>
  }
}

/**
 * Lets the person pick files, which can be read again after a crash; none if they close the dialog. undefined if the
 * browser has no such dialog: pages over plain HTTP have not.
 */
export function filePicker(): (() => Promise<ChosenFile[]>) | undefined {
  if (!window.showOpenFilePicker) return undefined
  return () => filesPicked(() => window.showOpenFilePicker!({ multiple: true }))
}

/** Likewise, a folder with everything in it, empty folders included. */
export function folderPicker(): (() => Promise<ChosenFile[]>) | undefined {
  if (!window.showDirectoryPicker) return undefined
  return () => filesPicked(async () => [await window.showDirectoryPicker!()])
}

async function filesPicked(pick: () => Promise<FileSystemHandle[]>): Promise<ChosenFile[]> {
  const handles = await pick().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') return []
    throw error
  })
  const picked = await Promise.all(
    handles.map(async (handle) => {
      const files = await filesOfHandle(handle)
      for (const one of files) if (!isEmptyFolder(one)) noteHandle(one.file, handle)
      return files
    }),
  )
  return picked.flat()
}
