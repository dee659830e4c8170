import { expect, it } from 'vitest'
import { keepExpiredMs, type Share, type ShareStore } from '../../../dist/server/stores/shares.js'

/** What every store of shares owes its callers. `open` gives an empty one that goes by the clock. */
export function shareStoreContract(open: (clock: { now(): number }) => Promise<ShareStore>): void {
  it('finds a share by id and by account, in order of creation', async () => {
    const store = await open(Date)
    const terms = {
      passwordHash: '$2b$04$x',
      maxDownloads: 3,
      downloads: 1,
      opened: 2,
      note: 'For “you”',
      names: ['a', 'b/\u0001'],
    }
    const [first, second, other] = [newShare('a'), newShare('b', terms), newShare('c', { accountId: 2 })]
    for (const share of [first, second, other]) await store.create(share)
    expect(await store.find('b')).toEqual(second)
    expect(await store.list(1)).toEqual([first, second])
    expect(await store.find('d')).toBeUndefined()
  })

  it('keeps an expired share for 30 days, then treats it as missing', async () => {
    let now = Date.now()
    const store = await open({ now: () => now })
    const share = newShare('a')
    await store.create(share)
    now += keepExpiredMs
    expect(await store.find('a')).toEqual(share)
    expect(await store.list(1)).toEqual([share])
    now += 3_700_000
    expect(await store.find('a')).toBeUndefined()
    expect(await store.list(1)).toEqual([])
    expect(await store.reserveDownload('a')).toBeUndefined()
  })

  it('reserves no more downloads than a share allows, and counts those that are not released', async () => {
    const store = await open(Date)
    await store.create(newShare('a', { maxDownloads: 3 }))
    const asked = await Promise.all([1, 2, 3, 4, 5].map(() => store.reserveDownload('a')))
    const [first, second, third, ...more] = asked.filter((reservation) => reservation !== undefined)
    expect(more).toEqual([])
    await store.countDownload(first!)
    await store.releaseDownload(second!)
    expect(await store.find('a')).toMatchObject({ downloads: 1 })
    const again = await store.reserveDownload('a')
    expect(await store.reserveDownload('a')).toBeUndefined()
    for (const reservation of [third!, again!, again!]) await store.countDownload(reservation)
    await store.releaseDownload(first!)
    await store.countDownload(second!)
    expect(await store.find('a')).toMatchObject({ downloads: 3 })
    expect(await store.reserveDownload('a')).toBeUndefined()
  })

  it('counts the downloads of a share without a limit, and none of a removed one', async () => {
    const store = await open(Date)
    for (const id of ['a', 'b']) await store.create(newShare(id))
    const [ofFirst, ofSecond] = [await store.reserveDownload('a'), await store.reserveDownload('b')]
    await store.remove(['b'])
    await store.countDownload(ofFirst!)
    await store.countDownload(ofSecond!)
    expect(await store.list(1)).toMatchObject([{ id: 'a', downloads: 1 }])
    expect(await store.reserveDownload('b')).toBeUndefined()
  })

  it('counts openings', async () => {
    const store = await open(Date)
    await store.create(newShare('a'))
    for (const id of ['a', 'a', 'gone']) await store.countOpening(id)
    expect(await store.find('a')).toMatchObject({ opened: 2, downloads: 0 })
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
  const terms = { names: null, passwordHash: null, maxDownloads: null, downloads: 0, opened: 0, note: null }
  return { id, accountId: 1, filename: 'a.txt', createdAt: at(0), expiresAt: at(3_600_000), ...terms, ...changes }
}
