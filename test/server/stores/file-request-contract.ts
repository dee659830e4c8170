import { expect, it } from 'vitest'
import type { FileRequest, FileRequestStore } from '../../../dist/server/stores/file-requests.js'
import { keepExpiredMs } from '../../../dist/server/stores/shares.js'

/** What every store of links for uploads owes its callers. `open` gives an empty one that goes by the clock. */
export function fileRequestContract(open: (clock: { now(): number }) => Promise<FileRequestStore>): void {
  const of = (job: string, bytes: number, files = 1) => ({ job, files, bytes })

  it('finds a request by id and by account, in order of creation', async () => {
    const store = await open(Date)
    const limits = { passwordHash: '$2b$04$x', maxFiles: 3, maxBytes: 5 * 1024 ** 4, maxFileBytes: 7 }
    const [first, second, other] = [
      newRequest('a'),
      newRequest('b', {
        ...limits,
        files: 1,
        bytes: 2,
        opened: 3,
        note: 'For “you”',
        revokedAt: newRequest('').createdAt,
      }),
      newRequest('c', { accountId: 2 }),
    ]
    for (const request of [first, second, other]) await store.create(request)
    expect(await store.find('b')).toEqual(second)
    expect(await store.list(1)).toEqual([first, second])
    expect(await store.find('d')).toBeUndefined()
  })

  it('keeps one that has ended for 30 days, then treats it as missing', async () => {
    let now = Date.now()
    const store = await open({ now: () => now })
    const at = new Date(now).toISOString()
    const [expired, revoked] = [newRequest('a'), newRequest('b', { expiresAt: '2999-01-01T00:00:00.000Z' })]
    for (const request of [expired, revoked]) await store.create(request)
    await store.revoke(['b'], at)
    now += keepExpiredMs - 1
    expect(await store.list(1)).toEqual([expired, { ...revoked, revokedAt: at }])
    now += 3_700_000
    expect(await store.list(1)).toEqual([])
    for (const id of ['a', 'b']) {
      expect(await store.find(id)).toBeUndefined()
      expect(await store.reserve(id, of('job', 1))).toBe('revoked')
    }
  })

  it('takes no more files than it allows, of any number of uploads at the same time', async () => {
    const store = await open(Date)
    await store.create(newRequest('a', { maxFiles: 3 }))
    const jobs = [1, 2, 3, 4, 5].map((n) => `job-${n}`)
    const refusals = await Promise.all(jobs.map((job) => store.reserve('a', of(job, 1))))
    expect(refusals.filter((refusal) => refusal === 'files')).toHaveLength(2)
    const [first, second, third] = jobs.filter((_, at) => refusals[at] === null)
    await store.receive(first!, 10)
    await store.release(second!)
    expect(await store.find('a')).toMatchObject({ files: 1, bytes: 10 })
    expect(await store.reserve('a', of('again', 1))).toBeNull()
    expect(await store.reserve('a', of('more', 1))).toBe('files')
    for (const job of [third!, 'again', 'again', second!, first!]) await store.receive(job, 10)
    await store.release(first!)
    expect(await store.find('a')).toMatchObject({ files: 3, bytes: 30 })
    expect(await store.reserve('a', of('more', 1))).toBe('files')
  })

  it('takes no more bytes than it allows, and an upload may take others than before', async () => {
    const store = await open(Date)
    await store.create(newRequest('a', { maxBytes: 100 }))
    expect(await store.reserve('a', of('one', 60))).toBeNull()
    expect(await store.reserve('a', of('two', 41))).toBe('bytes')
    expect(await store.reserve('a', of('two', 40))).toBeNull()
    expect(await store.reserve('a', of('one', 61))).toBe('bytes')
    expect(await store.reserve('a', of('one', 50))).toBeNull()
    expect(await store.reserve('a', of('two', 50, 2))).toBeNull()
    await store.receive('two', 45)
    expect(await store.find('a')).toMatchObject({ files: 2, bytes: 45 })
    expect(await store.reserve('a', of('three', 5))).toBeNull()
  })

  it('takes nothing after a revocation, which keeps its first time', async () => {
    const store = await open(Date)
    for (const id of ['a', 'b']) await store.create(newRequest(id))
    const at = new Date().toISOString()
    await store.reserve('a', of('begun', 1))
    await store.revoke(['a', 'gone'], at)
    await store.revoke(['a'], new Date(Date.now() + 1000).toISOString())
    expect((await store.list(1)).map(({ revokedAt }) => revokedAt)).toEqual([at, null])
    for (const id of ['a', 'gone']) expect(await store.reserve(id, of('job', 1))).toBe('revoked')
    expect(await store.reserve('b', of('job', 1))).toBeNull()
  })

  it('restores what an upload had taken, whatever the limits are', async () => {
    const store = await open(Date)
    await store.create(newRequest('a', { maxFiles: 1 }))
    for (const job of ['one', 'two']) await store.restore('a', of(job, 1))
    await store.restore('gone', of('lost', 1))
    expect(await store.reserve('a', of('three', 1))).toBe('files')
    for (const job of ['one', 'two', 'lost']) await store.receive(job, 5)
    expect(await store.find('a')).toMatchObject({ files: 2, bytes: 10 })
  })

  it('counts openings, and nothing of a removed one', async () => {
    const store = await open(Date)
    for (const id of ['a', 'b']) await store.create(newRequest(id))
    for (const id of ['a', 'a', 'gone']) await store.countOpening(id)
    await store.reserve('b', of('job', 1))
    await store.remove(['b', 'gone'])
    await store.remove(['b'])
    await store.receive('job', 1)
    expect(await store.list(1)).toMatchObject([{ id: 'a', opened: 2 }])
  })
}

export function newRequest(id: string, changes: Partial<FileRequest> = {}): FileRequest {
  const at = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString()
  const limits = { maxFiles: null, maxBytes: null, maxFileBytes: null }
  const terms = { revokedAt: null, passwordHash: null, ...limits, files: 0, bytes: 0, opened: 0, note: null }
  return { id, accountId: 1, folder: 'in/', createdAt: at(0), expiresAt: at(3_600_000), ...terms, ...changes }
}
