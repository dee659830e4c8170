import { describe, expect, it, onTestFinished } from 'vitest'
import type { FileRequestStore } from '../../dist/server/stores/file-requests.js'
import { postgresAccounts } from '../../dist/server/stores/postgres/accounts.js'
import { postgresCounters } from '../../dist/server/stores/postgres/counters.js'
import { postgresFileRequests } from '../../dist/server/stores/postgres/file-requests.js'
import { identityTables } from '../../dist/server/stores/postgres/migrations/001-identities.js'
import { jobTables } from '../../dist/server/stores/postgres/migrations/002-jobs.js'
import { shareColumns } from '../../dist/server/stores/postgres/migrations/010-shares.js'
import { migrateDatabase } from '../../dist/server/stores/postgres/schema.js'
import { postgresSessions } from '../../dist/server/stores/postgres/sessions.js'
import { postgresShares } from '../../dist/server/stores/postgres/shares.js'
import { openSigningKey } from '../../dist/server/stores/postgres/signing-key.js'
import { keepExpiredMs, type Share, type ShareStore } from '../../dist/server/stores/shares.js'
import { accountStoreContract } from '../server/stores/account-store-contract.js'
import { countersContract, type OpenedCounters } from '../server/stores/counters-contract.js'
import { fileRequestContract, newRequest } from '../server/stores/file-request-contract.js'
import { newSession, sessionStoreContract } from '../server/stores/session-store-contract.js'
import { newShare, shareStoreContract } from '../server/stores/share-store-contract.js'
import { emptyDatabase, hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'
import { openNode, reap, type TestNode } from './helpers/node.js'

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

  it('that a server of the version before makes have no quota of their own', async () => {
    const database = (await testDatabase()).connect()
    await database`insert into accounts (id, role, username, password_hash) values (1, 'user', 'ann', '')`
    expect(await postgresAccounts(database).get(1)).toMatchObject({ username: 'ann', quota: null, invitation: null })
  })

  it('fail as the database does', async () => {
    const database = (await testDatabase()).connect()
    await database`drop table accounts`
    const ann = { role: 'user', username: 'ann', passwordHash: '', name: null, email: null } as const
    await expect(postgresAccounts(database).create(ann)).rejects.toMatchObject({ code: '42P01' })
  })

  it('are not called taken if it is the number that is', async () => {
    const database = (await testDatabase()).connect()
    const ann = { role: 'user', username: 'ann', passwordHash: '', name: null, email: null } as const
    await postgresAccounts(database).create(ann)
    await database`delete from counters`
    const bob = { ...ann, username: 'bob' }
    await expect(postgresAccounts(database).create(bob)).rejects.toMatchObject({ constraint_name: 'accounts_pkey' })
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
  sessionStoreContract(async ({ now }) => {
    const database = await testDatabase()
    const accounts = postgresAccounts(database.connect())
    for (const username of ['ann', 'bob']) {
      await accounts.create({ role: 'user', username, passwordHash: '', name: null, email: null })
    }
    return openSessions(database, { now })
  })

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
  shareStoreContract(async ({ now }) => sharesOf(await openNode(await testDatabase()), now))

  it('lose those that have long expired when one is created', async () => {
    const node = await openNode(await testDatabase())
    const shares = sharesOf(node)
    await shares.create(newShare('old', { expiresAt: new Date(Date.now() - keepExpiredMs - 1000).toISOString() }))
    await shares.create(newShare('new'))
    expect(await node.sql`select id from links`).toEqual([{ id: 'new' }])
  })

  it('have the downloads that they allow for all servers together', async () => {
    const database = await testDatabase()
    const nodes = [await openNode(database), await openNode(database)]
    const [first, second] = nodes.map((node) => sharesOf(node)) as [ShareStore, ShareStore]
    await first.create(newShare('a', { maxDownloads: 5 }))
    const asked = Array.from({ length: 20 }, (_, index) => [first, second][index % 2]!)
    const reservations = await Promise.all(asked.map((shares) => shares.reserveDownload('a')))
    const reserved = reservations.filter((reservation) => reservation !== undefined)
    expect(reserved).toHaveLength(5)
    await Promise.all(reserved.map((reservation) => second.countDownload(reservation)))
    expect(await first.find('a')).toMatchObject({ downloads: 5 })
  })

  it('get the downloads of a server that has died back', async () => {
    const database = await testDatabase()
    const [dead, other] = [await openNode(database), await openNode(database)]
    const [ofDead, ofOther] = [sharesOf(dead), sharesOf(other)]
    await ofDead.create(newShare('a', { maxDownloads: 1 }))
    await ofDead.reserveDownload('a')
    expect(await ofOther.reserveDownload('a')).toBeUndefined()
    await dead.kill()
    await reap(dead, other)
    expect(await ofOther.reserveDownload('a')).toBeDefined()
  })

  it('are read and written by the release before, but for those that it would serve without their password or limit', async () => {
    const node = await openNode(await testDatabase())
    const shares = sharesOf(node)
    const restricted = {
      guarded: { passwordHash: '$2b$04$x' },
      few: { maxDownloads: 1 },
      chosen: { names: ['a', 'b/'] },
    }
    for (const [id, terms] of Object.entries(restricted)) await shares.create(newShare(id, terms))
    const { id, accountId, filename, createdAt, expiresAt } = newShare('plain')
    await node.sql`
      insert into shares (id, account_id, filename, created_at, expires_at)
      values (${id}, ${accountId}, ${filename}, ${createdAt}, ${expiresAt})`
    expect(await node.sql`select * from shares order by position`).toMatchObject([{ id: 'plain', accountId: 1 }])
    expect(await shares.find('plain')).toEqual(newShare('plain', { createdAt, expiresAt }))
    await node.sql`delete from shares where id = any(${['plain', 'guarded', 'few', 'chosen']})`
    expect((await shares.list(1)).map(({ id }) => id)).toEqual(['guarded', 'few', 'chosen'])
  })
})

describe.skipIf(!hasDatabase)('links for uploads in PostgreSQL', () => {
  fileRequestContract(async ({ now }) => requestsOf(await openNode(await testDatabase()), now))

  it('lose those that have long ended when one is created', async () => {
    const node = await openNode(await testDatabase())
    const requests = requestsOf(node)
    await requests.create(newRequest('old', { expiresAt: new Date(Date.now() - keepExpiredMs - 1000).toISOString() }))
    await requests.create(newRequest('new'))
    expect(await node.sql`select id from file_requests`).toEqual([{ id: 'new' }])
  })

  it('take what they allow of all servers together, also after one has died', async () => {
    const database = await testDatabase()
    const [dead, other] = [await openNode(database), await openNode(database)]
    const [ofDead, ofOther] = [requestsOf(dead), requestsOf(other)]
    await ofDead.create(newRequest('a', { maxFiles: 5 }))
    const jobs = Array.from({ length: 20 }, (_, n) => `job-${n}`)
    const reserve = (job: string, at: number) => [ofDead, ofOther][at % 2]!.reserve('a', { job, files: 1, bytes: 1 })
    const refusals = await Promise.all(jobs.map(reserve))
    const [failed, done, running] = jobs.filter((_, at) => refusals[at] === null)
    expect(refusals.filter((refusal) => refusal === null)).toHaveLength(5)
    const end = (id: string, state: string, endedAt: Date | null) => other.sql`
      insert into jobs (id, kind, account, account_id, state, record, ended_at, is_resumable)
      values (${id}, 'upload', 'request:a', 1, ${state}, '{}', ${endedAt}, true)`
    await end(failed!, 'failed', new Date())
    await end(done!, 'done', new Date())
    await end(running!, 'interrupted', null)
    await dead.kill()
    await reap(dead, other)
    expect(await ofOther.reserve('a', { job: 'first', files: 1, bytes: 1 })).toBeNull()
    expect(await ofOther.reserve('a', { job: 'second', files: 1, bytes: 1 })).toBe('files')
  })
})

describe.skipIf(!hasDatabase)('a server of the release before', () => {
  it('goes on with the links when their table changes, also by statements that it has prepared', async () => {
    const database = await emptyDatabase()
    const old = database.connect(1)
    const before = [identityTables, jobTables]
    await migrateDatabase(old, before)
    const create = ({ id, accountId, filename, createdAt, expiresAt }: Share) => old`
      insert into shares (id, account_id, filename, created_at, expires_at)
      values (${id}, ${accountId}, ${filename}, ${createdAt}, ${expiresAt})`
    const list = () =>
      old`select * from shares where account_id = ${1} and expires_at > ${new Date()} order by position`
    const [first, second] = [newShare('first'), newShare('second')]
    await create(first)
    expect(await list()).toMatchObject([{ id: 'first' }])
    await migrateDatabase(database.connect(1), [...before, shareColumns])
    await create(second)
    expect(await list()).toMatchObject([{ id: 'first' }, { id: 'second', filename: 'a.txt' }])
    await old`delete from shares where id = ${'first'}`
    expect(await list()).toMatchObject([{ id: 'second' }])
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

function requestsOf({ sql, clock, closing }: TestNode, now = Date.now): FileRequestStore {
  const onError = (error: unknown) => expect.soft(error).toBeUndefined()
  return postgresFileRequests(sql, { now, clock, closing, onError })
}

function sharesOf({ sql, lease, clock, closing }: TestNode, now = Date.now): ShareStore {
  const onError = (error: unknown) => expect.soft(error).toBeUndefined()
  return postgresShares(sql, { lease, now, clock, closing, onError })
}
