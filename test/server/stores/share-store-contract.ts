import { expect, it } from 'vitest'
import type { Share, ShareStore } from '../../../dist/server/stores/shares.js'

/** What every store of shares owes its callers. `open` gives an empty one that goes by the clock. */
export function shareStoreContract(open: (clock: { now(): number }) => Promise<ShareStore>): void {
  it('finds a share by id and by account, in order of creation', async () => {
    const store = await open(Date)
    const [first, second, other] = [newShare('a'), newShare('b'), newShare('c', { accountId: 2 })]
    for (const share of [first, second, other]) await store.create(share)
    expect(await store.find('b')).toEqual(second)
    expect(await store.list(1)).toEqual([first, second])
    expect(await store.find('d')).toBeUndefined()
  })

  it('treats an expired share as missing', async () => {
    let now = Date.now()
    const store = await open({ now: () => now })
    await store.create(newShare('a'))
    now += 3_700_000
    expect(await store.find('a')).toBeUndefined()
    expect(await store.list(1)).toEqual([])
  })

  it('removes shares; removing a missing one is not an error', async () => {
    const store = await open(Date)
    for (const id of ['a', 'b', 'c']) await store.create(newShare(id))
    await store.remove(['a', 'c', 'gone'])
    await store.remove(['a'])
    expect((await store.list(1)).map(({ id }) => id)).toEqual(['b'])
  })
}

export function newShare(id: string, changes: Partial<Share> = {}): Share {
  const at = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString()
  return { id, accountId: 1, filename: 'a.txt', createdAt: at(0), expiresAt: at(3_600_000), ...changes }
}
