import { faultOfName } from '../../protocol/file-name.js'
import type { ArrivingFiles } from '../jobs/arriving-files.js'
import { refusedEntry } from './tar-problems.js'

/** The names of the entries of one tar, all below a prefix. Throws `invalid-request` for those that cannot be stored. */
export class TarNames implements ArrivingFiles {
  readonly #prefix: string
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  readonly #emptyFolders = new Set<string>()
  #last: string | null = null

  /** `prefix` is empty or ends with a slash. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The name of a file. It must be the only one, and neither above nor below another one. */
  file(entry: string): string {
    const name = this.#parse(entry)
    if (this.#files.has(name)) throw refusedEntry(entry, 'is there twice')
    if (this.#folders.has(name)) throw refusedEntry(entry, 'is a file and a folder')
    this.#addFolders(entry, name)
    this.#files.add(name)
    this.#last = name
    return name
  }

  /** The last one that was accepted. */
  get last(): string | null {
    return this.#last
  }

  has(name: string): boolean {
    return this.#files.has(name)
  }

  /** The folders with nothing in them, with a slash at the end of each. */
  get emptyFolders(): string[] {
    return [...this.#emptyFolders].map((name) => `${name}/`)
  }

  /** A folder may be there twice. */
  folder(entry: string): void {
    const relative = entry.replace(/\/$/, '')
    if (relative === '.' || relative === '') return
    const name = this.#parse(relative)
    if (this.#files.has(name)) throw refusedEntry(entry, 'is a file and a folder')
    this.#addFolders(entry, name)
    if (!this.#folders.has(name)) this.#emptyFolders.add(name)
    this.#folders.add(name)
  }

  #addFolders(entry: string, name: string): void {
    for (let at = name.indexOf('/', this.#prefix.length); at !== -1; at = name.indexOf('/', at + 1)) {
      const folder = name.slice(0, at)
      if (this.#files.has(folder)) throw refusedEntry(entry, 'is below a file')
      this.#folders.add(folder)
      this.#emptyFolders.delete(folder)
    }
  }

  #parse(entry: string): string {
    if (entry.startsWith('/')) throw refusedEntry(entry, 'has an absolute name')
    if (entry.includes('\ufffd')) throw refusedEntry(entry, 'has a name that is not valid UTF-8')
    // macOS decomposes characters.
    const name = this.#prefix + entry.replace(/^(?:\.\/)+/, '').normalize('NFC')
    const fault = faultOfName(name)
    if (fault) throw refusedEntry(entry, `cannot be stored: its name ${fault}`)
    return name
  }
}
