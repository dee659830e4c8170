import { statfs } from 'node:fs/promises'

/** The disk that a folder is on, in bytes: what this user may still write, and all of it. */
export async function diskOfFolder(folder: string): Promise<{ freeBytes: number; totalBytes: number }> {
  const { bavail, bsize, blocks } = await statfs(folder)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
