import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openTableStore } from '../../../dist/server/stores/local/tables.js'
import type { StoredTable } from '../../../dist/server/stores/tables.js'
import { importCsv } from '../../../dist/server/tables/import.js'
import { RowsEngine } from '../../../dist/server/tables/rows-engine.js'
import { TableFacets } from '../../../dist/server/tables/table-facets.js'
import { TableRows } from '../../../dist/server/tables/table-rows.js'
import { TableSummaries } from '../../../dist/server/tables/table-summaries.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const ann = { role: 'user', username: 'ann' }
const { signal } = new AbortController()

/** A table of three rows in a store that counts which of its imports are held ready. */
async function openTable() {
  const data = await temporaryFolder()
  const [folder, partial] = [join(data, 'tables'), join(data, 'partial')]
  await mkdir(partial)
  const store = await openTableStore({ tables: folder, partial }, { next: async () => 1 })
  const staged = store.stage('one')
  await writeFile(join(partial, staged.source), 'n\n1\n2\n3\n')
  const csv = { csvOptions: {}, skipBadLines: false, trim: false, memoryBytes: 2 ** 28, threads: 1, maxBytes: 2 ** 30 }
  const { source, text, copy, output } = staged
  const imported = await importCsv({
    folder: partial,
    source,
    text,
    copy,
    output,
    ...csv,
    signal,
    onProgress: () => {},
  })
  const { columns, rows, dateColumn, skipped, notes, bytes, outputSha256 } = imported
  const from = { file: 'n.csv', sha256: null, sourceBytes: 8 }
  const record = { ...from, columns, rows, dateColumn, skipped, notes, bytes, outputSha256 }
  await store.publish([{ staged, record }], ann, 'n')
  const seen = { held: 0, asked: 0 }
  const tables = {
    async ready(...imports: Parameters<typeof store.ready>) {
      const release = await store.ready(...imports)
      seen.held++
      seen.asked++
      return () => {
        seen.held--
        release()
      }
    },
  }
  const engine = new RowsEngine(folder)
  onTestFinished(() => engine.close())
  const table = (await store.find(ann, 'n')) as StoredTable
  return {
    table,
    seen,
    rows: new TableRows(engine, tables),
    summaries: new TableSummaries(engine, tables),
    facetsWithin: (timeoutMs: number) => new TableFacets(engine, tables, { timeoutMs }),
  }
}

describe('the files of a table', () => {
  it('are ready while a page is read, and released afterwards, also after an error', async () => {
    const { table, seen, rows } = await openTable()
    const page = await rows.page(table, { offset: 0, limit: 2 }, signal)
    expect(page).toMatchObject({ count: 3, rows: [[1], [2]] })
    expect(seen).toEqual({ held: 0, asked: 1 })
    const refused = rows.page(table, { offset: 0, limit: 2, from: '2024-01-01' }, signal)
    await expect(refused).rejects.toMatchObject({ code: 'invalid-request' })
    expect(seen).toEqual({ held: 0, asked: 2 })
  })

  it('are ready while rows are read as text, and released when the client disconnects', async () => {
    const { table, seen, rows } = await openTable()
    const text = rows.text(table, {}, 'csv', signal)
    await text.next()
    expect(seen).toEqual({ held: 1, asked: 1 })
    await text.return(undefined)
    expect(seen).toEqual({ held: 0, asked: 1 })
  })

  it('are ready for a summary, once for each version of the table', async () => {
    const { table, seen, summaries } = await openTable()
    for (let time = 0; time < 2; time++) expect(await summaries.summarise(table, signal)).toMatchObject({ rows: 3 })
    expect(seen).toEqual({ held: 0, asked: 1 })
  })

  it('are ready for facets, and released also if these take too long', async () => {
    const { table, seen, facetsWithin } = await openTable()
    const tooLong = facetsWithin(0).count(table, { limit: 1 }, signal)
    await expect(tooLong).rejects.toMatchObject({ code: 'query-too-long' })
    expect(seen).toEqual({ held: 0, asked: 1 })
    expect(await facetsWithin(60_000).count(table, { limit: 1 }, signal)).toMatchObject({ rows: 3 })
    expect(seen).toEqual({ held: 0, asked: 2 })
  })
})
