import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { ExportComparison } from './export-compare.js'
import { takesPart } from './folder-compare.js'
import { removeIfEmpty } from './local-removal.js'
import type { LocalTarget } from './local-target.js'
import type { NameFilter } from './name-filter.js'
import type { TransferReport } from './transfer-report.js'
import type { LocalFolder } from './walk.js'

export interface EmptyFoldersOptions {
  /** The prefix on the server. */
  readonly prefix: string
  /** The folder here. */
  readonly folder: string
  readonly filter: NameFilter
  readonly target: LocalTarget
  readonly report: TransferReport
}

/** Makes the empty folders of an export like those of the server. */
export class EmptyFolders {
  readonly #options: EmptyFoldersOptions
  /** Their paths, by their names on the server. */
  readonly #expected = new Map<string, string>()

  constructor(options: EmptyFoldersOptions) {
    this.#options = options
  }

  get isNone(): boolean {
    return this.#expected.size === 0
  }

  /** Takes the empty folders of the server. One whose name this machine cannot have fails alone. */
  expect(names: readonly string[]): void {
    const { prefix, folder, filter, target, report } = this.#options
    for (const name of names) {
      try {
        const path = name === prefix ? folder : target.pathOf(name.slice(prefix.length, -1))
        if (takesPart(name, prefix, filter)) this.#expected.set(name, path)
      } catch (error) {
        report.fail(name, error)
      }
    }
  }

  /** Reports what would be done; also what would be removed, if a comparison is given. */
  preview(comparison: ExportComparison | undefined): void {
    const { report } = this.#options
    for (const [name, path] of this.#expected) if (!isThere(path)) report.folder(name, 'new')
    if (!comparison) return
    const isFilled = ({ name }: LocalFolder) => comparison.items.some((item) => item.name.startsWith(name))
    for (const folder of this.#othersOf(comparison.folders)) {
      if (folder.isEmpty && !isFilled(folder)) report.folder(folder.name, 'removed')
    }
  }

  /** Creates those that are not here. They fail alone. */
  create(): void {
    const { target, report } = this.#options
    for (const [name, path] of this.#expected) {
      try {
        if (isThere(path)) continue
        target.createFolders(join(path, 'below'))
        report.folder(name, 'new')
      } catch (error) {
        report.fail(name, error)
      }
    }
  }

  /** Removes folders that are empty here, and not on the server. */
  removeOthers(folders: readonly LocalFolder[]): void {
    const { report } = this.#options
    // What is in a folder comes behind it.
    for (const { name, path } of this.#othersOf(folders).reverse()) {
      try {
        if (removeIfEmpty(path)) report.folder(name, 'removed')
      } catch (error) {
        report.fail(name, error)
      }
    }
  }

  #othersOf(folders: readonly LocalFolder[]): LocalFolder[] {
    const { prefix, filter, target } = this.#options
    return folders.filter(
      ({ name, path }) =>
        name !== prefix && !this.#expected.has(name) && takesPart(name, prefix, filter) && !target.isTaken(path),
    )
  }
}

/** Something else in its place is told when it is created. */
function isThere(path: string): boolean {
  return existsSync(path) && lstatSync(path).isDirectory()
}
