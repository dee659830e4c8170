const handles = new WeakMap<File, FileSystemHandle>()

/** Of a file that was dropped or picked: its own, or that of the folder with which it was dropped. */
export function noteHandle(file: File, handle: FileSystemHandle): void {
  handles.set(file, handle)
}

export function handleOf(file: File): FileSystemHandle | undefined {
  return handles.get(file)
}
