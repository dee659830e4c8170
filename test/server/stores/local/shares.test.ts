import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openShareStore } from '../../../../dist/server/stores/local/shares.js'
import { keepExpiredMs } from '../../../../dist/server/stores/shares.js'
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
    const share = newShare('a', { maxDownloads: 1 })
    await store.create(share)
    await store.reserveDownload('a')
    await store.countOpening('a')
    await store.close()
    const restarted = await openShareStore(folder)
    expect(await restarted.find('a')).toEqual({ ...share, opened: 1 })
    // What was being sent ended with the server.
    expect(await restarted.reserveDownload('a')).toBeDefined()
  })

  it('have their openings written after a while', async () => {
    const folder = await temporaryFolder()
    const store = await openShareStore(folder, { writeAfterMs: 1 })
    onTestFinished(() => store.close())
    await store.create(newShare('a'))
    await store.countOpening('a')
    await expect.poll(async () => (await openShareStore(folder)).find('a')).toMatchObject({ opened: 1 })
  })

  it('are read from the file of an earlier version', async () => {
    const folder = await temporaryFolder()
    const { id, accountId, filename, createdAt, expiresAt } = newShare('a')
    const old = { shares: [{ id, accountId, filename, createdAt, expiresAt }] }
    await writeFile(join(folder, 'shares.json'), JSON.stringify(old))
    const store = await openShareStore(folder)
    onTestFinished(() => store.close())
    expect(await store.list(1)).toEqual([newShare('a', { createdAt, expiresAt })])
  })

  it('are hidden from an earlier version if it would serve them without their password or limit', async () => {
    const folder = await temporaryFolder()
    const store = await openShareStore(folder)
    onTestFinished(() => store.close())
    for (const [id, terms] of Object.entries({
      open: { note: 'n' },
      guarded: { passwordHash: '$2b$04$x' },
      few: { maxDownloads: 1 },
      chosen: { names: ['a', 'b/'] },
    })) {
      await store.create(newShare(id, terms))
    }
    const { shares } = JSON.parse(await readFile(join(folder, 'shares.json'), 'utf8'))
    expect(shares).toMatchObject([{ id: 'open' }])
    expect((await (await openShareStore(folder)).list(1)).map(({ id }) => id)).toEqual([
      'open',
      'guarded',
      'few',
      'chosen',
    ])
  })

  it('lose those that have long expired when they are saved', async () => {
    const folder = await temporaryFolder()
    let now = Date.now()
    const store = await openShareStore(folder, { now: () => now })
    await store.create(newShare('a'))
    now += keepExpiredMs + 3_700_000
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
