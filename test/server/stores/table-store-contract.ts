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

  async function stage() {
    const staged = store.stage(crypto.randomUUID())
    await writeFile(join(staged.folder, staged.output), 'parquet')
    await staged.prepare(new AbortController().signal)
    return { staged, record }
  }

  async function publish(table: string, space = ann, options = {}): Promise<StoredImport> {
    const [published] = await store.publish([await stage()], space, table, options)
    return published!
  }

  const importsOf = async (table: string) => (await store.find(ann, table))?.imports

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

  describe('replaces a table', () => {
    it('by one import, or by several', async () => {
      await publish('sales')
      await publish('sales')
      const only = await publish('sales', ann, { replaces: true })
      expect(await importsOf('sales')).toEqual([only])
      expect(await store.usage(ann)).toBe(7)
      const both = await store.publish([await stage(), await stage()], ann, 'sales', { replaces: true })
      expect(await importsOf('sales')).toEqual(both.toReversed())
      const added = await publish('sales')
      expect(await importsOf('sales')).toEqual([added, ...both.toReversed()])
      expect(await store.removeImport(ann, 'sales', both[0]!.id)).toBe(true)
      expect(await importsOf('sales')).toEqual([added, both[1]])
      expect(await store.removeImport(ann, 'sales', both[1]!.id)).toBe(true)
      expect(await importsOf('sales')).toEqual([added])
    })

    it('that does not exist yet, and no other one', async () => {
      const other = await publish('costs')
      const first = await publish('sales', ann, { replaces: true })
      expect(await importsOf('sales')).toEqual([first])
      expect(await importsOf('costs')).toEqual([other])
    })

    it('so that a reader finds the old one or the new one, and can read what it found', async () => {
      await publish('sales')
      let isDone = false
      const reader = (async () => {
        while (!isDone) {
          const { imports } = (await store.find(ann, 'sales'))!
          expect(imports).toHaveLength(1)
          expect((await store.list(ann))[0]?.imports).toHaveLength(1)
        }
      })()
      for (let time = 0; time < 20; time++) await publish('sales', ann, { replaces: true })
      isDone = true
      await reader
    })

    it('whose files stay until they are released', async () => {
      const old = await publish('sales')
      const release = await store.ready([old], new AbortController().signal)
      await publish('sales', ann, { replaces: true })
      expect(await readFile(join(store.folder, old.path), 'utf8')).toBe('parquet')
      release()
    })
  })

  describe('adds several imports', () => {
    it('in one step, with increasing ids', async () => {
      const first = await publish('sales')
      const both = await store.publish([await stage(), await stage()], ann, 'sales')
      expect(both[1]!.id).toBeGreaterThan(both[0]!.id)
      expect(await importsOf('sales')).toEqual([both[1], both[0], first])
      const release = await store.ready(both, new AbortController().signal)
      for (const { path } of both) expect(await readFile(join(store.folder, path), 'utf8')).toBe('parquet')
      release()
      expect(await store.removeImport(ann, 'sales', both[0]!.id)).toBe(true)
      expect(await importsOf('sales')).toEqual([both[1], first])
    })
  })

  describe('edits', () => {
    const columns = [{ name: 'b', type: 'text' as const, nulls: 1, datePattern: null }]

    it('imports, whose files stay where they are', async () => {
      const first = await publish('sales')
      const second = await publish('sales')
      const edited = await store.edit(ann, 'sales', ({ imports }) => {
        return imports.map(({ id }) => ({ id, columns, dateColumn: 'b' }))
      })
      expect(edited).toBe(true)
      const now = await importsOf('sales')
      expect(now).toEqual([second, first].map((each) => ({ ...each, columns, dateColumn: 'b' })))
      ;(await store.ready(now!, new AbortController().signal))()
      for (const { path } of now!) expect(await readFile(join(store.folder, path), 'utf8')).toBe('parquet')
      expect(await store.removeImport(ann, 'sales', first.id)).toBe(true)
      expect(await store.removeImport(ann, 'sales', second.id)).toBe(true)
      expect(await store.find(ann, 'sales')).toBeUndefined()
    })

    it('no missing table, and nothing if it is refused', async () => {
      expect(await store.edit(ann, 'sales', () => [])).toBe(false)
      const published = await publish('sales')
      const refusal = new Error('refused')
      const refuse = () => {
        throw refusal
      }
      await expect(store.edit(ann, 'sales', refuse)).rejects.toBe(refusal)
      expect(await importsOf('sales')).toEqual([published])
    })
  })

  describe('renames', () => {
    it('a table with its imports', async () => {
      const first = await publish('sales')
      const second = await publish('sales')
      expect(await store.rename(ann, 'sales', 'orders')).toBe(true)
      expect(await store.find(ann, 'sales')).toBeUndefined()
      const renamed = await importsOf('orders')
      expect(renamed?.map(({ id }) => id)).toEqual([second.id, first.id])
      const release = await store.ready(renamed!, new AbortController().signal)
      for (const { path } of renamed!) expect(await readFile(join(store.folder, path), 'utf8')).toBe('parquet')
      release()
      await publish('sales')
      expect((await store.list(ann)).map(({ name }) => name)).toEqual(['orders', 'sales'])
    })

    it('no missing table, none to a name that is taken, and none if it is refused', async () => {
      expect(await store.rename(ann, 'sales', 'orders')).toBe(false)
      const [sales, orders] = [await publish('sales'), await publish('orders')]
      await expect(store.rename(ann, 'sales', 'orders')).rejects.toMatchObject({ code: 'name-taken' })
      const refusal = new Error('refused')
      const refuse = () => {
        throw refusal
      }
      await expect(store.rename(ann, 'sales', 'costs', refuse)).rejects.toBe(refusal)
      expect([await importsOf('sales'), await importsOf('orders')]).toEqual([[sales], [orders]])
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
