import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import type { CsvOptions } from '../../dist/server/tables/csv-plan.js'
import { type ImportOptions, importCsv } from '../../dist/server/tables/import.js'
import type { ImportedCsv } from '../../dist/server/tables/import-messages.js'
import { RowsEngine } from '../../dist/server/tables/rows-engine.js'
import { removeFolder } from './temporary-folder.js'

/** The names of an import's files, and its other options. */
export const importDefaults = {
  source: '1.csv',
  text: '1.text.csv',
  copy: '1.clean.csv',
  output: '1.parquet',
  csvOptions: {},
  skipBadLines: false,
  trim: false,
  memoryBytes: 512 * 1024 ** 2,
  maxBytes: 1024 ** 3,
  threads: 1,
  onProgress: () => {},
}

/** Imports contents in folders of its own, and reads their rows by one engine. */
export class ImportedFiles {
  readonly #root: string
  readonly #engine: RowsEngine

  private constructor(root: string) {
    this.#root = root
    this.#engine = new RowsEngine(root)
  }

  static async open(): Promise<ImportedFiles> {
    return new ImportedFiles(await mkdtemp(join(tmpdir(), 'filejobs-test-')))
  }

  async import(content: string | Uint8Array, csvOptions: CsvOptions = {}, options: Partial<ImportOptions> = {}) {
    const folder = await mkdtemp(join(this.#root, 'import-'))
    await writeFile(`${folder}/1.csv`, content)
    const { signal } = new AbortController()
    const imported = await importCsv({ ...importDefaults, signal, folder, csvOptions, ...options }).finally(async () =>
      expect((await readdir(folder)).filter((name) => !/^1\.(csv|parquet)$/.test(name))).toEqual([]),
    )
    const rows = await this.#engine.rows(
      [`SELECT * FROM read_parquet('${basename(folder)}/1.parquet')`],
      'user:ann',
      signal,
    )
    expect(rows.length).toBe(imported.rows)
    return { ...imported, rows, types: typesOf(imported) }
  }

  /** The problem of a file that is refused. */
  async refusal(content: string | Uint8Array, csvOptions: CsvOptions = {}, options: Partial<ImportOptions> = {}) {
    const { code, message, details } = await this.import(content, csvOptions, options).then(
      () => expect.fail('imported'),
      (error) => error,
    )
    return { code, message, ...details }
  }

  async close(): Promise<void> {
    await this.#engine.close()
    await removeFolder(this.#root)
  }
}

function typesOf({ columns }: ImportedCsv): Record<string, string> {
  return Object.fromEntries(columns.map(({ name, type }) => [name, type]))
}
