import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { StoredImport, TableStore } from '../../../dist/server/stores/tables.js'

const ann = { role: 'user', username: 'ann' }
const record: Omit<StoredImport, 'id' | 'path' | 'importedAt'> = {
  file: 'sales.csv',
  sha256: null,
  rows: 3,
  columns: [{ name: 'a "b"', type: 'decimal(9,2)', nulls: 1, datePattern: null }],
  dateColumn: null,
  skipped: { count: 1, first: [{ line: 4, column: null, reason: 'bad' }] },
  notes: ['The first line was taken for a row.'],
  bytes: 7,
  sourceBytes: 20,
  outputSha256: 'ab'.repeat(32),
}

/** What every store of tables must do. */
export function describeTableStore(open: () => Promise<TableStore>): void {
  let store: TableStore
  beforeEach(async () => {
    store = await open()
  })

  async function publish(table: string, space = ann): Promise<StoredImport> {
    const staged = store.stage(crypto.randomUUID())
    await writeFile(join(staged.folder, staged.output), 'parquet')
    await staged.prepare(new AbortController().signal)
    return store.publish(staged, space, table, record)
  }

  describe('publishes imports', () => {
    it('as a table, newest first', async () => {
      const first = await publish('sales')
      const second = await publish('sales')
      expect(second).toMatchObject(record)
      expect(second.id).toBeGreaterThan(first.id)
      expect(await store.find(ann, 'sales')).toEqual({
        name: 'sales',
        owner: 'user:ann',
        imports: [second, first],
        changedAt: expect.any(Number),
      })
      expect((await store.list(ann)).map(({ name }) => name)).toEqual(['sales'])
    })

    it('whose files are ready for reads until they are released, which can be repeated', async () => {
      await publish('sales')
      const { imports } = (await store.find(ann, 'sales'))!
      const release = await store.ready(imports, new AbortController().signal)
      for (const { path } of imports) expect(await readFile(join(store.folder, path), 'utf8')).toBe('parquet')
      release()
      release()
      const reason = new Error('stopped')
      await expect(store.ready(imports, AbortSignal.abort(reason))).rejects.toBe(reason)
    })

    it('for their own account only', async () => {
      await publish('sales')
      for (const other of [
        { role: 'ops', username: 'ann' },
        { role: 'user', username: 'bob' },
      ]) {
        expect(await store.find(other, 'sales')).toBeUndefined()
        expect(await store.list(other)).toEqual([])
      }
    })

    it('whose bytes count for the account', async () => {
      expect(await store.usage(ann)).toBe(0)
      const first = await publish('sales')
      await publish('costs')
      await publish('sales', { role: 'user', username: 'bob' })
      expect(await store.usage(ann)).toBe(14)
      await store.removeImport(ann, 'sales', first.id)
      expect(await store.usage(ann)).toBe(7)
    })

    it('concurrently, also with removals', async () => {
      const removals = Array.from({ length: 10 }, async () => {
        await publish('busy')
        await store.remove(ann, 'busy')
      })
      await Promise.all(removals)
      const last = await publish('busy')
      expect((await store.find(ann, 'busy'))?.imports).toEqual([last])
    })
  })

  describe('removes', () => {
    it('an import, and with the last one the table', async () => {
      const first = await publish('sales')
      const second = await publish('sales')
      expect(await store.removeImport(ann, 'sales', first.id)).toBe(true)
      expect(await store.removeImport(ann, 'sales', first.id)).toBe(false)
      expect((await store.find(ann, 'sales'))?.imports).toEqual([second])
      expect(await store.removeImport(ann, 'sales', second.id)).toBe(true)
      expect(await store.find(ann, 'sales')).toBeUndefined()
      expect(await store.list(ann)).toEqual([])
    })

    it('a table, once', async () => {
      await publish('sales')
      const other = await publish('other')
      expect(await store.remove(ann, 'sales')).toBe(true)
      expect(await store.remove(ann, 'sales')).toBe(false)
      expect((await store.list(ann)).map(({ imports }) => imports)).toEqual([[other]])
    })

    it('all tables of an account', async () => {
      await publish('sales')
      const kept = await publish('sales', { role: 'user', username: 'bob' })
      await store.removeSpace(ann)
      await store.removeSpace(ann)
      expect(await store.list(ann)).toEqual([])
      expect((await store.find({ role: 'user', username: 'bob' }, 'sales'))?.imports).toEqual([kept])
    })

    it('without reusing a number', async () => {
      const { id } = await publish('sales')
      await store.remove(ann, 'sales')
      expect((await publish('sales')).id).toBeGreaterThan(id)
    })

    it('staged files, also repeatedly, and files left by a crash', async () => {
      const removed = store.stage('removed')
      await writeFile(join(removed.folder, removed.output), 'parquet')
      await removed.remove()
      await removed.remove()
      const left = store.stage('left')
      for (const name of [left.source, left.copy, left.output]) await writeFile(join(left.folder, name), 'left')
      const leftovers = await store.findLeftovers()
      expect(leftovers.map(({ bytes }) => bytes)).toEqual([4, 4, 4])
      for (const leftover of leftovers) await store.removeLeftover(leftover)
      expect(await store.findLeftovers()).toEqual([])
    })
  })

  it.each(['Sales', '../sales', 'sales/..', '', '1', 'a'.repeat(64), "x'; drop"])('has no table %j', async (name) => {
    expect(await store.find(ann, name)).toBeUndefined()
    expect(await store.remove(ann, name)).toBe(false)
    expect(await store.removeImport(ann, name, 1)).toBe(false)
  })
}
