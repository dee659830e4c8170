import { type ChosenFile, nameAsSent } from './dropped-files.js'
import { noteHandle } from './handle-of-file.js'

declare global {
  interface Window {
    showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>
  }
}

/** Whether the browser has a dialog for files that can be read again after a crash. Pages over plain HTTP have not. */
export function canPickFiles(): boolean {
  return window.showOpenFilePicker !== undefined
}

/** Lets the person pick files; none if they close the dialog. */
export async function pickFiles(): Promise<ChosenFile[]> {
  const handles = await window.showOpenFilePicker!({ multiple: true }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') return []
    throw error
  })
  return Promise.all(
    handles.map(async (handle) => {
      const file = await handle.getFile()
      noteHandle(file, handle)
      return { name: nameAsSent(handle.name), file }
    }),
  )
}
