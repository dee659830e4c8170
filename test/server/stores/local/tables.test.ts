import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTableStore } from '../../../../dist/server/stores/local/tables.js'
import { eventually } from '../../../helpers/eventually.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { describeTableStore } from '../table-store-contract.js'

const ann = { role: 'user', username: 'ann' }
const never = new AbortController().signal
const record = {
  ...{ file: 'sales.csv', sha256: null, rows: 3, columns: [], dateColumn: null, skipped: { count: 0, first: [] } },
  ...{ notes: [], bytes: 7, sourceBytes: 20, outputSha256: null },
}

async function open() {
  const folder = await temporaryFolder()
  const [tables, partial] = [join(folder, 'tables'), join(folder, 'partial')]
  await mkdir(partial)
  let last = 0
  return openTableStore({ tables, partial }, { next: async () => ++last })
}

describe('the local store of tables', () => {
  describeTableStore(open)

  it('finds files of imports that were not added to a table', async () => {
    const store = await open()
    const folder = join(store.folder, 'user/ann/sales')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, '5.parquet'), 'whole')
    await writeFile(join(folder, '.6.json.tmp'), 'half')
    expect(await store.find({ role: 'user', username: 'ann' }, 'sales')).toBeUndefined()
    for (const leftover of await store.findLeftovers()) await store.removeLeftover(leftover)
    expect(await readdir(join(store.folder, 'user/ann'))).toEqual([])
  })

  describe('after a crash while a table was replaced', () => {
    /** The folder of a table before and after it was replaced by two imports, and the store. */
    async function replaced() {
      const store = await open()
      const publish = async (count: number, replaces: boolean) => {
        const imports = []
        for (let index = 0; index < count; index++) {
          const staged = store.stage(crypto.randomUUID())
          await writeFile(join(staged.folder, staged.output), 'parquet')
          imports.push({ staged, record })
        }
        return store.publish(imports, ann, 'sales', { replaces })
      }
      const folder = join(store.folder, 'user/ann/sales')
      const old = [...(await publish(1, false)), ...(await publish(1, false))]
      const before = await temporaryFolder()
      await cp(folder, before, { recursive: true })
      const young = await publish(2, true)
      return { store, folder, before, old, young }
    }

    const settle = async (store: Awaited<ReturnType<typeof open>>) => {
      for (const leftover of await store.findLeftovers()) await store.removeLeftover(leftover)
    }

    it('has the old one, if the description of the new one was not written', async () => {
      const { store, folder, before, old } = await replaced()
      const young = await readdir(folder)
      await cp(before, folder, { recursive: true })
      for (const name of young) if (name.endsWith('.json')) await rm(join(folder, name))
      expect((await store.find(ann, 'sales'))?.imports).toEqual(old.toReversed())
      await settle(store)
      expect((await readdir(folder)).sort()).toEqual((await readdir(before)).sort())
    })

    it.each([
      ['no', []],
      ['one', ['1.json']],
      ['each', ['1.json', '2.json']],
      ['each description and one file of', ['1.json', '2.json', '1.parquet']],
    ])('has the new one, after %s old one was removed', async (_, removed) => {
      const { store, folder, before, young } = await replaced()
      await cp(before, folder, { recursive: true })
      for (const name of removed) await rm(join(folder, name))
      expect((await store.find(ann, 'sales'))?.imports).toEqual(young.toReversed())
      // Before the leftovers are found: what was replaced must not come back.
      await store.removeImport(ann, 'sales', young[0]!.id)
      await store.removeImport(ann, 'sales', young[1]!.id)
      expect(await store.find(ann, 'sales')).toBeUndefined()
    })

    it('removes what was replaced at the next start', async () => {
      const { store, folder, before, young } = await replaced()
      const names = await readdir(folder)
      await cp(before, folder, { recursive: true })
      await settle(store)
      expect((await readdir(folder)).sort()).toEqual(names.sort())
      expect((await store.find(ann, 'sales'))?.imports).toEqual(young.toReversed())
    })
  })

  it('removes replaced files that were being read, once they are released', async () => {
    const store = await open()
    const publish = async () => {
      const staged = store.stage(crypto.randomUUID())
      await writeFile(join(staged.folder, staged.output), 'parquet')
      return store.publish([{ staged, record }], ann, 'sales', { replaces: true })
    }
    const old = await publish()
    const [first, second] = [await store.ready(old, never), await store.ready(old, never)]
    await publish()
    first()
    first()
    const folder = join(store.folder, 'user/ann/sales')
    expect(await readdir(folder)).toContain('1.parquet')
    second()
    await eventually('it is removed', async () => !(await readdir(folder)).includes('1.parquet'))
  })

  it('reports a damaged file, and leaves it unchanged', async () => {
    const store = await open()
    const folder = join(store.folder, 'user/ann/sales')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, '7.json'), '{"id": 7')
    await expect(store.find({ role: 'user', username: 'ann' }, 'sales')).rejects.toThrow(/7\.json is damaged/)
    expect(await readdir(folder)).toEqual(['7.json'])
  })
})
