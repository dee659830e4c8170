import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileFault, isMissing, isUnreachable } from '../../../protocol/file-errors.js'
import { isDiskFull } from '../disk-full.js'
import type { Space } from '../files.js'
import { parseVersions, type Version } from './file-description.js'
import { keptMark, metadataFolder, metadataPath } from './metadata-paths.js'

/** `FileMetadata` for worker threads, synchronous. */
export class SyncMetadata {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  read(space: Space, name: string): Version[] {
    try {
      return parseVersions(readFileSync(metadataPath(this.#root, space, name), 'utf8'))
    } catch (error) {
      if (isUnreachable(error)) return []
      throw error
    }
  }

  /** Whether a folder is kept while it is empty. */
  isKept(space: Space, folder: string): boolean {
    const mark = join(metadataFolder(this.#root, space, folder), keptMark)
    return lstatSync(mark, { throwIfNoEntry: false }) !== undefined
  }

  /** A concurrent removal may remove the empty folder in between: then it retries. */
  write(space: Space, name: string, versions: Version[]): void {
    const path = metadataPath(this.#root, space, name)
    for (let attempt = 1; ; attempt++) {
      try {
        this.#writeFile(path, JSON.stringify({ versions }))
        return
      } catch (error) {
        if (!isMissing(error) || attempt === maxAttempts) throw error
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      }
    }
  }

  /** Without a rename where there is none to replace: a rename costs, too. A crash in between leaves an empty file. */
  #writeFile(path: string, text: string): void {
    try {
      writeWhole(path, text, 'wx')
    } catch (error) {
      if (fileFault(error) !== 'exists') throw error
      writeWhole(`${path}.new`, text, 'w')
      renameSync(`${path}.new`, path)
    }
  }
}

/** Leaves nothing for which the disk has no room. */
function writeWhole(path: string, text: string, flag: 'w' | 'wx'): void {
  try {
    writeFileSync(path, text, { mode: 0o600, flag })
  } catch (error) {
    if (isDiskFull(error)) rmSync(path, { force: true })
    throw error
  }
}

/** Each time, another removal must have intervened. */
const maxAttempts = 10
