import { describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'
import { migrateDatabase } from '../../dist/server/stores/postgres/schema.js'
import { checkDatabase } from '../../dist/server/stores/postgres/start-checks.js'
import { emptyDatabase, hasDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'

describe.skipIf(!hasDatabase)('the schema of the database', () => {
  it('is created once, by one of several servers that start at the same time', async () => {
    const database = await emptyDatabase()
    const servers = [1, 2, 3, 4].map(() => database.connect(1))
    await Promise.all(servers.map((sql) => migrateDatabase(sql)))
    await migrateDatabase(servers[0]!)
    const versions = await servers[0]!`select version from schema_version order by version`
    expect(versions.map(({ version }) => version)).toEqual(Array.from(versions, (_, at) => at + 1))
    expect(versions.length).toBeGreaterThan(0)
  })

  it('is migrated completely or not at all', async () => {
    const sql = (await emptyDatabase()).connect(1)
    const [good, bad] = ['create table a (n int); create table b (n int)', 'create table c (n int); select nonsense']
    await expect(migrateDatabase(sql, [good, bad])).rejects.toThrow('nonsense')
    expect(await sql`select to_regclass('a') as found`).toEqual([{ found: null }])
    await migrateDatabase(sql, [good])
    await migrateDatabase(sql, [good, 'create table c (n int)'])
    expect(await sql`select * from a, b, c`).toEqual([])
  })

  it('is refused if it is newer than the program', async () => {
    const sql = (await emptyDatabase()).connect(1)
    await migrateDatabase(sql, ['create table a (n int)', 'create table b (n int)'])
    await expect(migrateDatabase(sql, ['create table a (n int)'])).rejects.toThrow(
      'has version 2 of the schema, and this program knows 1 at most: a newer filejobs has upgraded it',
    )
  })
})

describe.skipIf(!hasDatabase)('a server that starts', () => {
  it('accepts a database that answers LISTEN', async () => {
    await checkDatabase((await emptyDatabase()).connect(), systemClock)
  })

  it('refuses one that loses NOTIFY, as PgBouncer does in transaction mode', async () => {
    const proxy = await startDatabaseProxy(inject('database')!)
    proxy.deliversNotices = false
    const sql = (await emptyDatabase(proxy.url)).connect()
    await expect(checkDatabase(sql, systemClock, 50)).rejects.toThrow(/LISTEN does not work .* PgBouncer/)
  })

  it('refuses one that is too old, or a standby', async () => {
    const sql = (await emptyDatabase()).connect(1)
    const [schema] = await sql`select current_schema() as name`
    // What the server says of itself, as an older one or a standby would.
    const pretend = async (version: string, isStandby: boolean) => {
      await sql.unsafe(`
        set search_path = ${schema!.name}, pg_catalog;
        create or replace function current_setting(text) returns text language sql as $$ select '${version}' $$;
        create or replace function pg_is_in_recovery() returns boolean language sql as $$ select ${isStandby} $$`)
    }
    await pretend('120009', false)
    await expect(checkDatabase(sql, systemClock)).rejects.toThrow(/too old: version 13 or later/)
    await pretend('150000', true)
    await expect(checkDatabase(sql, systemClock)).rejects.toThrow(/is a standby/)
  })

  it('takes a number that is too large for one as a failure, not for another number', async () => {
    const sql = (await emptyDatabase()).connect()
    expect(await sql`select 9007199254740991 as n`).toEqual([{ n: 9_007_199_254_740_991 }])
    await expect(sql`select 9007199254740993 as n`).rejects.toThrow('9007199254740993 is no safe integer')
  })
})
