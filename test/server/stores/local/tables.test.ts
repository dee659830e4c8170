import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTableStore } from '../../../../dist/server/stores/local/tables.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { describeTableStore } from '../table-store-contract.js'

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

  it('reports a damaged file, and leaves it unchanged', async () => {
    const store = await open()
    const folder = join(store.folder, 'user/ann/sales')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, '7.json'), '{"id": 7')
    await expect(store.find({ role: 'user', username: 'ann' }, 'sales')).rejects.toThrow(/7\.json is damaged/)
    expect(await readdir(folder)).toEqual(['7.json'])
  })
})
