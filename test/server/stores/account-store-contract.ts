import { expect, it } from 'vitest'
import type { AccountStore } from '../../../dist/server/stores/accounts.js'

/** What every account store owes its callers. `open` gives an empty one for each test. */
export function accountStoreContract(open: () => Promise<AccountStore>): void {
  const hash = `$2b$04$${'a'.repeat(53)}`
  const ann = { role: 'user', username: 'Ann', passwordHash: hash, name: null, email: 'ann@example.org' } as const
  const boss = { role: 'admin', username: 'boss', passwordHash: hash, name: 'Boss', email: null } as const

  it('creates an account and finds it by id, by name, and in the list', async () => {
    const store = await open()
    const account = await store.create(ann)
    expect(account).toMatchObject({ ...ann, id: 1, disabled: false })
    expect(new Date(account.createdAt).toISOString()).toBe(account.createdAt)
    expect(await store.find('user', 'Ann')).toEqual(account)
    expect(await store.get(account.id)).toEqual(account)
    expect(await store.list()).toEqual([account])
  })

  it('compares usernames case-insensitively within a role', async () => {
    const store = await open()
    const account = await store.create(ann)
    expect(await store.find('user', 'aNN')).toEqual(account)
    expect(await store.find('ops', 'Ann')).toBeUndefined()
    await expect(store.create({ ...ann, username: 'ANN' })).rejects.toMatchObject({ code: 'username-taken' })
    expect(await store.create({ ...ann, role: 'ops' })).toMatchObject({ role: 'ops', username: 'Ann' })
  })

  it('creates one account for two concurrent calls with the same name, and the rejected one finds it', async () => {
    const store = await open()
    const create = (username: string) =>
      store.create({ ...ann, username }).catch(async () => expect(await store.find('user', 'ann')).toBeDefined())
    await Promise.all([create('Ann'), create('ann'), create('ANN')])
    expect(await store.list()).toHaveLength(1)
  })

  it('never reuses an id', async () => {
    const store = await open()
    const first = await store.create(ann)
    await store.remove(first.id)
    const second = await store.create(ann)
    expect(second.id).toBeGreaterThan(first.id)
    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => store.create({ ...ann, username: `u${i}` })))
    expect(new Set(many.map(({ id }) => id)).size).toBe(20)
  })

  it('has no quota of its own until it gets one, which can be none, and can be taken back', async () => {
    const store = await open()
    const { id } = await store.create(ann)
    const quotas: unknown[] = [(await store.get(id))?.quota]
    for (const quota of [5 * 1024 ** 3, 'none', 7, null, 'none', null] as const) {
      expect(await store.update(id, { quota })).toMatchObject({ quota })
      quotas.push((await store.find('user', 'ann'))?.quota, (await store.list())[0]?.quota)
    }
    const twice = [5 * 1024 ** 3, 'none', 7, null, 'none', null].flatMap((quota) => [quota, quota])
    expect(quotas).toEqual([null, ...twice])
    for (const quota of [7, 'none'] as const) {
      expect(await store.create({ ...ann, username: `with-${quota}`, quota })).toMatchObject({ quota })
    }
    const kept = await store.find('user', 'with-7')
    expect(await store.update(kept!.id, { disabled: true })).toEqual({ ...kept, disabled: true })
  })

  it('accepts an invitation once, for one of several calls, and only by its digest', async () => {
    const store = await open()
    const invitation = { digest: 'a'.repeat(64), expiresAt: '2026-01-01T00:00:00.000Z' }
    const invited = await store.create({ ...ann, invitation })
    expect(invited).toMatchObject({ invitation })
    expect(await store.get(invited.id)).toEqual(invited)
    const hashes = [1, 2, 3].map((n) => `$2b$04$${String(n).repeat(53)}`)
    expect(await store.acceptInvitation(invited.id, 'b'.repeat(64), hashes[0]!)).toBeUndefined()
    expect(await store.acceptInvitation(4711, invitation.digest, hashes[0]!)).toBeUndefined()
    const calls = await Promise.all(hashes.map((each) => store.acceptInvitation(invited.id, invitation.digest, each)))
    const accepted = calls.filter((account) => account !== undefined)
    expect(accepted).toHaveLength(1)
    expect(await store.get(invited.id)).toEqual(accepted[0])
    expect(accepted[0]).toEqual({ ...invited, passwordHash: accepted[0]!.passwordHash, invitation: null })
    expect(hashes).toContain(accepted[0]!.passwordHash)
  })

  it('replaces and takes back an invitation', async () => {
    const store = await open()
    const { id, invitation: none } = await store.create(ann)
    expect(none).toBeNull()
    for (const digest of ['a'.repeat(64), 'b'.repeat(64)]) {
      const invitation = { digest, expiresAt: '2026-01-01T00:00:00.000Z' }
      expect(await store.update(id, { invitation })).toMatchObject({ invitation })
      expect(await store.update(id, { quota: 7 })).toMatchObject({ invitation })
    }
    expect(await store.acceptInvitation(id, 'a'.repeat(64), hash)).toBeUndefined()
    expect(await store.update(id, { invitation: null })).toMatchObject({ invitation: null })
    expect(await store.acceptInvitation(id, 'b'.repeat(64), hash)).toBeUndefined()
  })

  it('changes only the password and the lock', async () => {
    const store = await open()
    const account = await store.create(ann)
    const passwordHash = `$2b$04$${'b'.repeat(53)}`
    expect(await store.update(account.id, { passwordHash })).toEqual({ ...account, passwordHash })
    expect(await store.update(account.id, { disabled: true })).toEqual({ ...account, passwordHash, disabled: true })
    expect(await store.find('user', 'ann')).toEqual({ ...account, passwordHash, disabled: true })
    await expect(store.update(4711, { disabled: true })).rejects.toMatchObject({ code: 'account-not-found' })
  })

  it('removes an account; removing a missing one is not an error', async () => {
    const store = await open()
    const account = await store.create(ann)
    await store.remove(account.id)
    await store.remove(account.id)
    expect(await store.find('user', 'Ann')).toBeUndefined()
    expect(await store.get(account.id)).toBeUndefined()
  })

  it('keeps the last enabled admin', async () => {
    const store = await open()
    const first = await store.create(boss)
    await store.create(ann)
    await expect(store.update(first.id, { disabled: true })).rejects.toMatchObject({ code: 'last-admin' })
    await expect(store.remove(first.id)).rejects.toMatchObject({ code: 'last-admin' })
    const second = await store.create({ ...boss, username: 'deputy' })
    await store.update(first.id, { disabled: true })
    await expect(store.remove(second.id)).rejects.toMatchObject({ code: 'last-admin' })
    await store.remove(first.id)
    expect((await store.list()).map(({ username }) => username).sort()).toEqual(['Ann', 'deputy'])
  })

  it('keeps one of two admins that are disabled and removed at the same time', async () => {
    const store = await open()
    const first = await store.create(boss)
    const second = await store.create({ ...boss, username: 'deputy' })
    const ends = await Promise.allSettled([store.update(first.id, { disabled: true }), store.remove(second.id)])
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []))
    expect(refused).toEqual(['last-admin'])
    expect((await store.list()).filter(({ disabled }) => !disabled)).toHaveLength(1)
  })
}
