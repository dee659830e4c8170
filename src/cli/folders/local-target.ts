import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileFault, isMissing } from '../../protocol/file-errors.js'
import { faultOfName } from '../../protocol/file-name.js'
import { processExists } from '../../protocol/process-exists.js'
import { Failure } from '../exit-codes.js'

/** The local folder that an export writes to. Names from a server are not trusted: no path leads out of the folder. */
export interface LocalTarget {
  /**
   * Returns the path of a file. Throws a Failure if the name is invalid on this machine, or, on a disk that ignores case,
   * was given before in another case.
   */
  pathOf(name: string): string
  /** Creates the folders above a file. Throws a Failure if one of them is a symbolic link. */
  createFolders(path: string): void
  /** Writes a file, which appears whole or not at all. Throws a Failure if one exists that must not be replaced. */
  writeFile(path: string, content: Buffer, options: WriteOptions): void
  /** On a disk that ignores case: whether this path is the same file as one that `pathOf` has returned. */
  isTaken(path: string): boolean
}

export interface WriteOptions {
  /** Whether a file that exists may be replaced. */
  readonly replaces: boolean
  readonly modifiedAt: Date | undefined
}

/**
 * Opens the folder; it is created before the first write. `isCaseless`: whether its disk ignores case; by default, a probe
 * file tells.
 */
export function openLocalTarget(root: string, isCaseless?: boolean): LocalTarget {
  return new FolderTarget(root, isCaseless)
}

/** Sets the modification time of a complete file. Ignores file systems that do not store it. */
export function keepTime(path: string, modifiedAt: Date | undefined): void {
  if (!modifiedAt) return
  try {
    utimesSync(path, new Date(), modifiedAt)
  } catch (error) {
    if (fileFault(error) === undefined) throw error
  }
}

class FolderTarget implements LocalTarget {
  readonly #root: string
  #isCaseless: boolean | undefined
  /** On a disk that ignores case: the names so far, by their case-folded form. */
  readonly #folded = new Map<string, string>()
  readonly #created = new Set<string>()

  constructor(root: string, isCaseless: boolean | undefined) {
    this.#root = root
    this.#isCaseless = isCaseless
  }

  pathOf(name: string): string {
    const fault = faultOfName(name) ?? faultOnWindows(name)
    if (fault) throw new Failure('refused', `The name is not valid on this machine: it ${fault}.`)
    if (this.#ignoresCase()) {
      const key = foldCase(name)
      const other = this.#folded.get(key)
      if (other !== undefined) {
        throw new Failure('refused', `The name differs from ${other} only by case, which this disk ignores.`)
      }
      this.#folded.set(key, name)
    }
    return join(this.#root, ...name.split('/'))
  }

  isTaken(path: string): boolean {
    return this.#folded.has(foldCase(relative(this.#root, path).replaceAll(sep, '/')))
  }

  #ignoresCase(): boolean {
    if (this.#isCaseless === undefined) {
      this.#createRoot()
      this.#isCaseless = ignoresCase(this.#root)
    }
    return this.#isCaseless
  }

  #createRoot(): void {
    mkdirSync(this.#root, { recursive: true })
    this.#created.add(resolve(this.#root))
  }

  createFolders(path: string): void {
    if (this.#created.size === 0) this.#createRoot()
    const folder = resolve(dirname(path))
    if (this.#created.has(folder)) return
    this.createFolders(folder)
    try {
      mkdirSync(folder)
    } catch (error) {
      if (fileFault(error) !== 'exists') throw error
      const found = lstatSync(folder)
      if (found.isSymbolicLink()) throw new Failure('refused', `${folder} is a symbolic link: remove it first.`)
      if (!found.isDirectory()) throw new Failure('refused', `${folder} is a file where a folder must be.`)
    }
    this.#created.add(folder)
  }

  writeFile(path: string, content: Buffer, { replaces, modifiedAt }: WriteOptions): void {
    this.createFolders(path)
    const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.part`
    const descriptor = openSync(temporary, 'wx')
    try {
      try {
        for (let written = 0; written < content.length; ) written += writeSync(descriptor, content, written)
        if (modifiedAt) futimesSync(descriptor, new Date(), modifiedAt)
      } finally {
        closeSync(descriptor)
      }
      if (replaces) renameSync(temporary, path)
      else placeNew(temporary, path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }
}

/** Whether a killed export left this file: a temporary file of `writeFile`, or a second name of a whole file. */
export function isLeftOver(path: string): boolean {
  if (!path.endsWith('.part')) return false
  const [, pid] = /\.(\d{1,10})-[0-9a-f]{8}\.part$/.exec(path) ?? []
  if (pid !== undefined) return !processExists(Number(pid))
  const [part, whole] = [path, path.slice(0, -'.part'.length)].map((each) => lstatSync(each, { throwIfNoEntry: false }))
  return part !== undefined && part.ino === whole?.ino && part.dev === whole.dev
}

/** A hard link, because a rename would replace a file that was created meanwhile. */
function placeNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    if (fileFault(error) === 'exists') throw inTheWay()
    // Some file systems do not support hard links.
    if (existsSync(path)) throw inTheWay()
    renameSync(temporary, path)
    return
  }
  rmSync(temporary)
}

/** The error for a file that differs from the one on the server. */
export function inTheWay(): Failure {
  return new Failure(
    'refused',
    'A different file of this name exists: use --force to replace it, or -o to write elsewhere.',
  )
}

/** Whether two names that differ only by case are the same file on this disk. */
function ignoresCase(folder: string): boolean {
  const probe = join(folder, `.filejobs-case-${randomBytes(4).toString('hex')}`)
  try {
    closeSync(openSync(probe, 'wx'))
    return existsSync(join(folder, basename(probe).toUpperCase()))
  } catch (error) {
    // If nothing can be written here, each file fails alone.
    if (fileFault(error) === undefined && !isMissing(error)) throw error
    return false
  } finally {
    rmSync(probe, { force: true })
  }
}

function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase().normalize('NFC')
}

/** https://learn.microsoft.com/windows/win32/fileio/naming-a-file */
function faultOnWindows(name: string): string | undefined {
  if (sep === '/') return undefined
  if (/[<>:"|?*]/.test(name)) return 'has a character that Windows does not allow'
  if (/[. ](?:\/|$)/.test(name)) return 'has a segment that ends with a period or a space'
  if (/(?:^|\/)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\/|$)/i.test(name)) return 'has a segment that Windows reserves'
  return undefined
}
