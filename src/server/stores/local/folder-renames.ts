import { randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing } from '../../../protocol/file-errors.js'
import { syncFolder, writeDurably } from './durable-write.js'
import { missingAsEmpty, missingAsUndefined } from './missing.js'

/** From a path to another one. */
export type Rename = readonly [from: string, to: string]

/**
 * Renames several files or folders as one step, over a crash too: the first rename decides. If it was done, the next
 * start does the others.
 */
export class FolderRenames {
  readonly #journals: string
  readonly #bases: Readonly<Record<string, string>>

  /** `journals`: a folder of their own. `bases`: folders that contain all paths, by a name that outlasts their place. */
  constructor(journals: string, bases: Readonly<Record<string, string>>) {
    this.#journals = journals
    this.#bases = bases
  }

  /**
   * Durable when it resolves. Sources are optional except for the first one; existing targets are replaced except for
   * the first one. Throws the system's error of the first rename, after which nothing has changed.
   */
  async run(renames: readonly [Rename, ...Rename[]]): Promise<void> {
    const journal = join(this.#journals, `${randomUUID()}.json`)
    const portable = renames.map((pair) => pair.map((path) => this.#encode(path)))
    await mkdir(this.#journals, { recursive: true, mode: 0o700 })
    await writeDurably(journal, JSON.stringify(portable))
    const [[from, to], ...others] = renames
    try {
      await rename(from, to)
    } catch (error) {
      await rm(journal, { force: true })
      throw error
    }
    await syncRename([from, to])
    await finish(others)
    await rm(journal, { force: true })
  }

  /** Finishes what a crash has interrupted. */
  async recover(): Promise<void> {
    for (const name of await readdir(this.#journals).catch(missingAsEmpty)) {
      const path = join(this.#journals, name)
      const [first, ...others] = this.#parse(await readFile(path, 'utf8'))
      if (first && !(await exists(first[0])) && (await exists(first[1]))) {
        await syncRename(first)
        await finish(others)
      }
      await rm(path, { force: true })
    }
  }

  /** Empty for a journal that was never complete: its renames had not begun. */
  #parse(text: string): Rename[] {
    try {
      const pairs = JSON.parse(text) as [string, string][]
      return pairs.map(([from, to]) => [this.#decode(from), this.#decode(to)])
    } catch (error) {
      if (error instanceof SyntaxError) return []
      throw error
    }
  }

  #encode(path: string): string {
    const base = Object.entries(this.#bases).find(([, folder]) => path.startsWith(`${folder}/`))
    if (!base) throw new Error(`${path} is in none of the folders of the data.`)
    return `${base[0]}${path.slice(base[1].length)}`
  }

  #decode(text: string): string {
    const slash = text.indexOf('/')
    return `${this.#bases[text.slice(0, slash)]}${text.slice(slash)}`
  }
}

async function finish(renames: readonly Rename[]): Promise<void> {
  for (const [from, to] of renames) {
    if (!(await exists(from))) continue
    await rm(to, { recursive: true, force: true })
    await mkdir(dirname(to), { recursive: true, mode: 0o700 })
    await rename(from, to)
    await syncRename([from, to])
  }
}

async function syncRename([from, to]: Rename): Promise<void> {
  await syncFolder(dirname(to))
  await syncFolder(dirname(from)).catch((error) => {
    if (!isMissing(error)) throw error
  })
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(missingAsUndefined)) !== undefined
}
