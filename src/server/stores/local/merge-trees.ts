import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isMissing, isOccupied } from '../../../protocol/file-errors.js'

/** Moves trees of files by renames, and remembers which folders have changed. Synchronous: for a worker thread. */
export class TreeMoves {
  readonly #changed = new Set<string>()

  /** Moves everything in `from` to the same place in `to`. Entries that a run moved before it crashed are no longer there. */
  merge(from: string, to: string): void {
    if (!exists(from)) return
    if (!exists(to)) {
      this.move(from, to)
      return
    }
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) this.merge(source, target)
      else this.#replace(source, target)
    }
    this.#changed.add(to)
    rmdirSync(from)
  }

  /** Moves what is in `from`, but not in `to`. A missing `from` is not an error. */
  addMissing(from: string, to: string): void {
    if (!exists(from)) return
    const there = new Set(readdirSync(to))
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (!there.has(entry.name)) this.move(source, target)
      else if (entry.isDirectory()) this.addMissing(source, target)
    }
  }

  /** Moves a file or folder to a place where none is. A missing one is not an error. */
  move(from: string, to: string): void {
    if (!exists(from)) return
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
    renameSync(from, to)
    this.#changed.add(dirname(to)).add(dirname(from))
  }

  /** Removes the folder and those above it, as far as they are empty, up to `top`, which stays. */
  removeEmpty(folder: string, top: string): void {
    for (let path = folder; path.length > top.length; path = dirname(path)) {
      try {
        rmdirSync(path)
        this.#changed.add(dirname(path))
      } catch (error) {
        if (isOccupied(error)) return
        if (!isMissing(error)) throw error
      }
    }
  }

  /** Makes all of it durable. */
  sync(): void {
    for (const folder of this.#changed) syncIfThere(folder)
    this.#changed.clear()
  }

  /** A folder in the place of a file is empty by then. */
  #replace(from: string, to: string): void {
    if (lstatSync(to, { throwIfNoEntry: false })?.isDirectory()) removeEmptyTree(to)
    renameSync(from, to)
  }
}

function removeEmptyTree(folder: string): void {
  for (const name of readdirSync(folder)) removeEmptyTree(join(folder, name))
  rmdirSync(folder)
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function syncIfThere(folder: string): void {
  try {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
