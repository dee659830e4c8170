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
import { Failure } from '../exit-codes.js'
import { isAlive } from '../is-alive.js'

/** The local folder that an export writes to. Names from a server are not trusted: none leads outside of it. */
export interface LocalTarget {
  /** The path of a file. Throws a Failure for a name that this machine cannot have, or has already in another case. */
  pathOf(name: string): string
  /** Creates the folders above a file. Throws a Failure if one of them is a symbolic link. */
  createFolders(path: string): void
  /** Writes a whole file, which appears complete or not at all. Throws a Failure if another one is in the way. */
  writeFile(path: string, content: Buffer, options: WriteOptions): void
  /** Whether a file here differs from one of `pathOf` at most by case, so that both are the same on this disk. */
  isTaken(path: string): boolean
}

export interface WriteOptions {
  /** Whether a file that exists may be replaced. */
  readonly replaces: boolean
  readonly modifiedAt: Date | undefined
}

/**
 * Opens the folder, which is created when there is something to write. `isCaseless`: whether its disk ignores case; by
 * default that is tried out then.
 */
export function openLocalTarget(root: string, isCaseless?: boolean): LocalTarget {
  return new FolderTarget(root, isCaseless)
}

/** Sets the time of a file whose content is complete; a file system that has none is no error. */
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
  /** The names so far, where case does not distinguish them. */
  readonly #folded = new Map<string, string>()
  readonly #created = new Set<string>()

  constructor(root: string, isCaseless: boolean | undefined) {
    this.#root = root
    this.#isCaseless = isCaseless
  }

  pathOf(name: string): string {
    const fault = faultOfName(name) ?? faultOnWindows(name)
    if (fault) throw new Failure('refused', `The name cannot be that of a file here: it ${fault}.`)
    if (this.#ignoresCase()) {
      const key = foldCase(name)
      const other = this.#folded.get(key)
      if (other !== undefined) {
        throw new Failure('refused', `Only case tells the name from ${other}, and this disk ignores case.`)
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

/** Whether this was left over by an export that was killed: a temporary file of `writeFile`, or the other name of a file. */
export function isLeftOver(path: string): boolean {
  if (!path.endsWith('.part')) return false
  const [, pid] = /\.(\d{1,10})-[0-9a-f]{8}\.part$/.exec(path) ?? []
  if (pid !== undefined) return !isAlive(Number(pid))
  const [part, whole] = [path, path.slice(0, -'.part'.length)].map((each) => lstatSync(each, { throwIfNoEntry: false }))
  return part !== undefined && part.ino === whole?.ino && part.dev === whole.dev
}

/** A rename would replace a file that was created meanwhile. */
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
    'Another file of this name is here: use --force to replace it, or -o to write elsewhere.',
  )
}

/** Whether the disk takes two names for the same if they differ by case only. */
function ignoresCase(folder: string): boolean {
  const probe = join(folder, `.filejobs-case-${randomBytes(4).toString('hex')}`)
  try {
    closeSync(openSync(probe, 'wx'))
    return existsSync(join(folder, basename(probe).toUpperCase()))
  } catch (error) {
    // Where nothing can be written, each file fails by itself.
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
