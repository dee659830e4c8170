import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { isMissing } from '../../../protocol/file-errors.js'

/** Removes a file or a folder with everything in it, in slices: for a worker thread. A missing one is not an error. */
export function* removeTree(path: string): Generator<void, void> {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (!stats) return
  if (!stats.isDirectory()) return removeEntry(() => unlinkSync(path))
  let removed = 0
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = `${path}/${entry.name}`
    if (entry.isDirectory()) yield* removeTree(below)
    else removeEntry(() => unlinkSync(below))
    if (++removed % removalsPerSlice === 0) yield
  }
  removeEntry(() => rmdirSync(path))
}

function removeEntry(remove: () => void): void {
  try {
    remove()
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

const removalsPerSlice = 64
