import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openAccountStore } from '../../../../dist/server/stores/local/accounts.js'
import { openCounters } from '../../../../dist/server/stores/local/counters.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { accountStoreContract } from '../account-store-contract.js'

const hash = `$2b$04$${'a'.repeat(53)}`
const ann = { role: 'user', username: 'ann', passwordHash: hash, name: null, email: null } as const

describe('the accounts of accounts.json', () => {
  accountStoreContract(async () => open(await temporaryFolder()))

  it('are preserved by a restart, in a file that only its owner can read', async () => {
    const folder = await temporaryFolder()
    const account = await (await open(folder)).create(ann)
    expect(await (await open(folder)).find('user', 'ann')).toEqual(account)
    expect((await stat(join(folder, 'accounts.json'))).mode & 0o777).toBe(0o600)
  })

  it('never reuse an id, even if counters.json is lost', async () => {
    const folder = await temporaryFolder()
    const store = await open(folder)
    await store.create(ann)
    await store.create({ ...ann, username: 'bob' })
    await writeFile(join(folder, 'counters.json'), '{}')
    expect(await (await open(folder)).create({ ...ann, username: 'cid' })).toMatchObject({ id: 3 })
  })

  it('are consistent after many concurrent changes', async () => {
    const folder = await temporaryFolder()
    const store = await open(folder)
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.create({ ...ann, username: `u${i}` })))
    expect(await (await open(folder)).list()).toHaveLength(40)
  })

  it('of an earlier version have no quota of their own, and no invitation', async () => {
    const folder = await temporaryFolder()
    const stored = { id: 1, ...ann, disabled: false, createdAt: '2026-01-01T00:00:00.000Z' }
    await writeFile(join(folder, 'accounts.json'), JSON.stringify({ accounts: [stored] }))
    expect(await (await open(folder)).list()).toEqual([{ ...stored, quota: null, invitation: null }])
  })

  const good = { id: 1, ...ann, disabled: false, createdAt: '2026-01-01T00:00:00.000Z' }
  it.each([
    ['an empty file', ''],
    ['a truncated file', JSON.stringify({ accounts: [good] }).slice(0, -20)],
    ['another shape', '[]'],
    ['a missing field', JSON.stringify({ accounts: [good, { ...good, passwordHash: undefined }] })],
    ['an unknown role', JSON.stringify({ accounts: [{ ...good, role: 'root' }] })],
    ['a name with a path in it', JSON.stringify({ accounts: [{ ...good, username: '../ann' }] })],
    ['a password in place of its hash', JSON.stringify({ accounts: [{ ...good, passwordHash: 'secret' }] })],
    ['a quota in words', JSON.stringify({ accounts: [{ ...good, quota: '5G' }] })],
    ['a duplicate id', JSON.stringify({ accounts: [good, { ...good, username: 'bob' }] })],
    ['a duplicate name', JSON.stringify({ accounts: [good, { ...good, id: 2, username: 'ANN' }] })],
  ])('fail to open from %s, and leave the file unchanged', async (_, text) => {
    const folder = await temporaryFolder()
    const path = join(folder, 'accounts.json')
    await writeFile(path, text)
    await expect(open(folder)).rejects.toThrow(`${path} is damaged`)
    expect(await readFile(path, 'utf8')).toBe(text)
  })
})

async function open(folder: string) {
  const counters = await openCounters(folder)
  const store = await openAccountStore(folder, counters)
  onTestFinished(() => store.close())
  onTestFinished(() => counters.close())
  return store
}
