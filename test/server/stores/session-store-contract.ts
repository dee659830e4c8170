import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { SessionStore, StoredSession } from '../../../dist/server/stores/sessions.js'

export interface Clock {
  now(): number
}

/** What every session store owes its callers. `open` gives an empty one that goes by the clock, with the accounts 1 and 2. */
export function sessionStoreContract(open: (clock: Clock) => Promise<SessionStore>): void {
  it('creates a session and finds it by id and by account', async () => {
    const store = await open(Date)
    const session = newSession()
    expect(await store.create(session)).toEqual({ removed: [] })
    expect(await store.find(session.id)).toEqual(session)
    expect(await store.list(session.accountId)).toEqual([session])
    expect(await store.list(2)).toEqual([])
    expect(await store.find(randomUUID())).toBeUndefined()
  })

  it('treats an expired session as missing', async () => {
    let now = Date.now()
    const store = await open({ now: () => now })
    const session = newSession({ expiresAt: new Date(now + 3_600_000).toISOString() })
    await store.create(session)
    now += 3_600_001
    expect(await store.find(session.id)).toBeUndefined()
    expect(await store.list(1)).toEqual([])
    expect(await store.remove([session.id])).toEqual([])
  })

  it('removes sessions and returns the existing ones; removing a missing one is not an error', async () => {
    const store = await open(Date)
    const [first, second, third] = [newSession(), newSession(), newSession()]
    for (const session of [first, second, third]) await store.create(session)
    expect(await store.remove([first.id, second.id, randomUUID()])).toEqual([first, second])
    expect(await store.remove([first.id])).toEqual([])
    expect(await store.list(1)).toEqual([third])
  })

  it('knows when each account last used a session, also one that has ended', async () => {
    let now = Date.now()
    const store = await open({ now: () => now })
    const at = (seconds: number) => new Date(now + seconds * 1000).toISOString()
    expect(await store.lastSeen()).toEqual(new Map())
    const [first, second] = [newSession({ expiresAt: at(100) }), newSession({ expiresAt: at(100) })]
    for (const session of [first, second]) await store.create(session)
    expect(await store.lastSeen()).toEqual(new Map([[1, [first.lastUsedAt, second.lastUsedAt].sort()[1]]]))
    const [used, usedLater] = [at(5), at(10)]
    store.touch(first.id, usedLater)
    store.touch(second.id, used)
    expect(await store.lastSeen()).toEqual(new Map([[1, usedLater]]))
    await store.remove([first.id])
    expect(await store.lastSeen()).toEqual(new Map([[1, usedLater]]))
    now += 200_000
    const next = newSession({ accountId: 2, createdAt: at(0), lastUsedAt: at(0), expiresAt: at(100) })
    await store.create(next)
    expect(await store.lastSeen()).toEqual(
      new Map([
        [1, usedLater],
        [2, next.lastUsedAt],
      ]),
    )
  })

  it('rotates the refresh token of a session in one step, and only from the valid one', async () => {
    const store = await open(Date)
    const session = newSession({ refreshId: 'first' })
    const fixed = newSession()
    for (const each of [session, fixed]) await store.create(each)
    const both = await Promise.all([
      store.rotate(session.id, 'first', 'second'),
      store.rotate(session.id, 'first', 'other'),
    ])
    expect(both.toSorted()).toEqual([false, true])
    expect(await store.find(session.id)).toEqual({ ...session, refreshId: both[0] ? 'second' : 'other' })
    expect(await store.rotate(fixed.id, 'first', 'second')).toBe(false)
    expect(await store.rotate(randomUUID(), 'first', 'second')).toBe(false)
    expect(await store.find(fixed.id)).toEqual(fixed)
  })

  it('records a use at once', async () => {
    const store = await open(Date)
    const session = newSession()
    await store.create(session)
    const at = new Date(Date.now() + 5000).toISOString()
    store.touch(session.id, at)
    store.touch(randomUUID(), at)
    expect(await store.find(session.id)).toEqual({ ...session, lastUsedAt: at })
  })

  it('keeps 50 live sessions for each account, and evicts the one unused for the longest', async () => {
    let now = Date.now()
    const store = await open({ now: () => now })
    const expired = newSession({ expiresAt: new Date(now + 1000).toISOString() })
    await store.create(expired)
    now += 1001
    const sessions = Array.from({ length: 50 }, () => newSession())
    for (const session of sessions) expect(await store.create(session)).toEqual({ removed: [] })
    for (const session of sessions) store.touch(session.id, new Date(now + 2000).toISOString())
    store.touch(sessions[7]!.id, new Date(now + 1000).toISOString())
    const { removed } = await store.create(newSession())
    expect(removed.map(({ id }) => id)).toEqual([sessions[7]!.id])
    expect(await store.find(sessions[7]!.id)).toBeUndefined()
    expect(await store.list(1)).toHaveLength(50)
    expect(await store.create(newSession({ accountId: 2 }))).toEqual({ removed: [] })
  })
}

export function newSession(changes: Partial<StoredSession> = {}): StoredSession {
  const now = new Date().toISOString()
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const session = { id: randomUUID(), accountId: 1, client: 'curl', createdAt: now, lastUsedAt: now, expiresAt }
  return { ...session, ...changes }
}
