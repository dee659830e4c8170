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

/** Creates and removes empty folders here to match the server. */
export class EmptyFolders {
  readonly #options: EmptyFoldersOptions
  /** Empty folders of the server: local paths by name. */
  readonly #expected = new Map<string, string>()

  constructor(options: EmptyFoldersOptions) {
    this.#options = options
  }

  get isNone(): boolean {
    return this.#expected.size === 0
  }

  /** Registers the empty folders of the server. One whose name is invalid on this machine fails alone. */
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

  /** Reports what `create` would do and, given a comparison, what `removeOthers` would do. */
  preview(comparison: ExportComparison | undefined): void {
    const { report } = this.#options
    for (const [name, path] of this.#expected) if (!isThere(path)) report.folder(name, 'new')
    if (!comparison) return
    const isFilled = ({ name }: LocalFolder) => comparison.items.some((item) => item.name.startsWith(name))
    for (const folder of this.#othersOf(comparison.folders)) {
      if (folder.isEmpty && !isFilled(folder)) report.folder(folder.name, 'removed')
    }
  }

  /** Creates the missing folders. Each fails alone. */
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

  /** Removes empty folders that the server does not have. */
  removeOthers(folders: readonly LocalFolder[]): void {
    const { report } = this.#options
    // Folders come before their contents, which must be removed first.
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

/** Anything else at this path is reported when the folder is created. */
function isThere(path: string): boolean {
  return existsSync(path) && lstatSync(path).isDirectory()
}
