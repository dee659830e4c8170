import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openShareStore } from '../../../../dist/server/stores/local/shares.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { newShare, shareStoreContract } from '../share-store-contract.js'

describe('the shares of shares.json', () => {
  shareStoreContract(async ({ now }) => {
    const store = await openShareStore(await temporaryFolder(), { now })
    onTestFinished(() => store.close())
    return store
  })

  it('are preserved by a restart', async () => {
    const folder = await temporaryFolder()
    const store = await openShareStore(folder)
    const share = newShare('a')
    await store.create(share)
    await store.close()
    expect(await (await openShareStore(folder)).find('a')).toEqual(share)
  })

  it('lose the expired ones when they are saved', async () => {
    const folder = await temporaryFolder()
    let now = Date.now()
    const store = await openShareStore(folder, { now: () => now })
    await store.create(newShare('a'))
    now += 3_700_000
    await store.create(newShare('b', { expiresAt: new Date(now + 1000).toISOString() }))
    const { shares } = JSON.parse(await readFile(join(folder, 'shares.json'), 'utf8'))
    expect(shares).toMatchObject([{ id: 'b' }])
  })

  it('fail to open from a damaged file, and leave it unchanged', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'shares.json'), '{"shares": 1}')
    await expect(openShareStore(folder)).rejects.toThrow(/shares\.json is damaged/)
    expect(await readFile(join(folder, 'shares.json'), 'utf8')).toBe('{"shares": 1}')
  })
})
