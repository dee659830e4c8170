import { describe, expect, it, onTestFinished } from 'vitest'
import { postgresAccounts } from '../../dist/server/stores/postgres/accounts.js'
import { postgresCounters } from '../../dist/server/stores/postgres/counters.js'
import { postgresSessions } from '../../dist/server/stores/postgres/sessions.js'
import { postgresShares } from '../../dist/server/stores/postgres/shares.js'
import { openSigningKey } from '../../dist/server/stores/postgres/signing-key.js'
import { accountStoreContract } from '../server/stores/account-store-contract.js'
import { countersContract, type OpenedCounters } from '../server/stores/counters-contract.js'
import { newSession, sessionStoreContract } from '../server/stores/session-store-contract.js'
import { newShare, shareStoreContract } from '../server/stores/share-store-contract.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'

describe.skipIf(!hasDatabase)('accounts in PostgreSQL', () => {
  accountStoreContract(async () => postgresAccounts((await testDatabase()).connect()))

  it('are those of all servers: of two that create the same one, one is refused', async () => {
    const database = await testDatabase()
    const [first, second] = [postgresAccounts(database.connect()), postgresAccounts(database.connect())]
    const ann = { role: 'user', username: 'ann', passwordHash: '', name: null, email: null } as const
    const created = await Promise.allSettled([first.create(ann), second.create({ ...ann, username: 'Ann' })])
    expect(created.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await second.list()).toEqual(await first.list())
  })

  it('fail as the database does', async () => {
    const database = (await testDatabase()).connect()
    await database`drop table accounts`
    const ann = { role: 'user', username: 'ann', passwordHash: '', name: null, email: null } as const
    await expect(postgresAccounts(database).create(ann)).rejects.toMatchObject({ code: '42P01' })
  })
})

describe.skipIf(!hasDatabase)('counters in PostgreSQL', () => {
  const open = (database: TestDatabase): OpenedCounters => ({
    counters: postgresCounters(database.connect()),
    restart: async () => open(database),
  })
  countersContract(async () => open(await testDatabase()))
})

describe.skipIf(!hasDatabase)('sessions in PostgreSQL', () => {
  sessionStoreContract(async ({ now }) => openSessions(await testDatabase(), { now }))

  it('end on all servers at once', async () => {
    const database = await testDatabase()
    const [first, second] = [openSessions(database), openSessions(database)]
    const session = newSession()
    await first.create(session)
    expect(await second.find(session.id)).toEqual(session)
    await second.remove([session.id])
    expect(await first.find(session.id)).toBeUndefined()
  })

  it('have the latest of the uses that servers write when they close, and after the time between two writes', async () => {
    const database = await testDatabase()
    const [first, second, third] = [openSessions(database), openSessions(database), openSessions(database)]
    const hurried = openSessions(database, { writeAfterMs: 1 })
    const [a, b] = [newSession(), newSession()]
    for (const session of [a, b]) await first.create(session)
    const [early, late] = [5000, 10_000].map((ms) => new Date(Date.now() + ms).toISOString()) as [string, string]
    first.touch(a.id, late)
    second.touch(a.id, early)
    await first.close()
    await second.close()
    expect(await third.find(a.id)).toEqual({ ...a, lastUsedAt: late })
    hurried.touch(b.id, early)
    await expect.poll(() => third.find(b.id)).toEqual({ ...b, lastUsedAt: early })
  })

  it('keep uses that could not be written for the next write', async () => {
    const database = await testDatabase()
    const lost: unknown[] = []
    const sql = database.connect()
    const sessions = openSessions(database, { onUsesLost: (error) => lost.push(error) })
    const session = newSession()
    await sessions.create(session)
    const at = new Date(Date.now() + 5000).toISOString()
    sessions.touch(session.id, at)
    await sql`alter table sessions rename to elsewhere`
    await sessions.close()
    await sql`alter table elsewhere rename to sessions`
    expect(lost).toHaveLength(1)
    await sessions.close()
    expect(await openSessions(database).find(session.id)).toEqual({ ...session, lastUsedAt: at })
  })
})

describe.skipIf(!hasDatabase)('shares in PostgreSQL', () => {
  shareStoreContract(async ({ now }) => postgresShares((await testDatabase()).connect(), { now }))

  it('lose the expired ones when one is created', async () => {
    const sql = (await testDatabase()).connect()
    const shares = postgresShares(sql)
    await shares.create(newShare('old', { expiresAt: new Date(Date.now() - 1000).toISOString() }))
    await shares.create(newShare('new'))
    expect(await sql`select id from shares`).toEqual([{ id: 'new' }])
  })
})

describe.skipIf(!hasDatabase)('the signing key in PostgreSQL', () => {
  it('is generated once for all servers', async () => {
    const database = await testDatabase()
    const keys = await Promise.all([1, 2, 3].map(() => openSigningKey(database.connect(), null)))
    expect(keys[0]).toHaveLength(32)
    expect(keys).toEqual([keys[0], keys[0], keys[0]])
  })

  it('is the secret, if there is one', async () => {
    const secret = 'a secret of more than thirty-two bytes'
    expect(await openSigningKey((await testDatabase()).connect(), secret)).toEqual(new TextEncoder().encode(secret))
  })
})

function openSessions(database: TestDatabase, options: Parameters<typeof postgresSessions>[1] = {}) {
  const sessions = postgresSessions(database.connect(), options)
  onTestFinished(() => sessions.close())
  return sessions
}
