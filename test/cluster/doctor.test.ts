import { randomUUID } from 'node:crypto'
import { rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { damageFile } from '../helpers/damage.js'
import { openClient } from '../helpers/program.js'
import { emptyDatabase } from './helpers/database.js'
import { type ClusterPlace, emptyPlace, hasCluster, placeVariables, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('filejobs doctor --database', () => {
  it('finds everything in order, also while servers run', async () => {
    const place = await emptyPlace()
    const { logIn } = await startCluster(1, { place })
    const [ann] = await logIn('ann')
    await ann!.put('a', 'bytes')
    const { code, report, words } = await (await openDoctor(place)).run('--verify')
    expect({ code, report }).toEqual({
      code: 0,
      report: { files: 1, imports: 0, bytes: 5, objects: 1, damaged: [], orphans: [], intact: 1, fixed: false },
    })
    expect(words).toBe(
      'Files: 1. Imports of tables: 0. 5 B in 1 objects.\nCompared with their digests: 1 intact, 0 damaged.\nAll is in order.\n',
    )
  })

  it('names files whose objects are missing, too short, or not all rows, and exits with 8', async () => {
    const { place, objectOf, sql } = await closedCluster()
    await rm(await objectOf('missing'))
    await truncate(await objectOf('short'), 2)
    await sql`delete from objects where content = (select content from files where name = 'large') and position = 1`
    const { code, report, words } = await (await openDoctor(place)).run()
    expect(code).toBe(8)
    expect(report.intact).toBe(null)
    expect(report.damaged.map(({ name, why }: { name: string; why: string }) => [name, why]).sort()).toEqual([
      ['large', 'it has 9437184 bytes, but the rows of its objects have 8388608'],
      ['missing', expect.stringMatching(/^its object o\/\S+ is missing in the bucket$/)],
      ['short', expect.stringMatching(/^its object o\/\S+ has 2 instead of 5 bytes in the bucket$/)],
    ])
    expect(report.orphans).toMatchObject([{ bytes: 1024 ** 2, why: 'no row names it' }])
    expect(words).toContain('Damaged:\n  user:ann/large: it has ')
  })

  it('with --verify reads every file, and names those whose bytes have changed', async () => {
    const { place, objectOf } = await closedCluster()
    damageFile(await objectOf('short'))
    const doctor = await openDoctor(place)
    expect(await doctor.run()).toMatchObject({ code: 0, report: { damaged: [] } })
    const { code, report } = await doctor.run('--verify')
    expect({ code, report }).toMatchObject({ code: 8, report: { intact: 3, damaged: [{ name: 'short' }] } })
    expect(report.damaged[0].why).toMatch(/^its SHA-256 is [0-9a-f]{64}, but [0-9a-f]{64} was recorded$/)
  })

  it('compares imports of tables as files; those without a digest are only read', async () => {
    const { place, sql } = await closedCluster()
    await sql`insert into stored_tables values ('user:ann', 'sales', now())`
    const digest = '{"outputSha256":"00"}'
    await sql`
      insert into imports (id, account, table_name, content, size, imported_at, record)
      select case name when 'missing' then 1 else 2 end, 'user:ann', 'sales', content, size, now(),
        case name when 'missing' then ${digest}::text::json else '{}' end
      from files where name in ('missing', 'short')`
    await sql`delete from files where name in ('missing', 'short')`
    const { code, report } = await (await openDoctor(place)).run('--verify')
    expect({ code, report }).toMatchObject({ code: 8, report: { files: 2, imports: 2, intact: 3, orphans: [] } })
    expect(report.damaged).toMatchObject([{ account: 'user:ann', name: 'import 1 of the table sales' }])
  })

  it('names the missing objects of uploads that have not ended', async () => {
    const { place, sql } = await closedCluster()
    await sql`insert into partials (id, content, size) values ('x', 'of x', 5)`
    await sql`insert into stages (id, account) values ('y', 'user:ann')`
    await sql`insert into staged_files values ('y', 'staged', 'of y', 5, '', '')`
    await sql`
      insert into objects (key, content, size, state) values
        ('o/x', 'of x', 5, 'stored'), ('o/y', 'of y', 5, 'stored'), ('o/z', 'under way', 5, 'pending')`
    const { code, report, words } = await (await openDoctor(place)).run()
    expect(code).toBe(8)
    expect(report.damaged).toEqual([
      { account: null, name: null, why: 'its object o/x is missing in the bucket' },
      { account: 'user:ann', name: null, why: 'its object o/y is missing in the bucket' },
    ])
    expect(words).toContain('  An upload that has not ended: its object o/x is missing')
  })

  it('names objects that no file needs; with --fix, servers remove those that are older than a week', async () => {
    const { place, bucketFolder, objectOf, sql } = await closedCluster()
    const forgotten = await objectOf('missing')
    await sql`delete from files where name = 'missing'`
    const [young, old] = [`o/${randomUUID()}`, `o/${randomUUID()}`]
    for (const key of [young, old]) await writeFile(join(bucketFolder, key), 'orphan')
    const age = new Date(Date.now() - 8 * 24 * 3_600_000)
    await utimes(join(bucketFolder, old), age, age)
    await sql`
      update objects set created_at = created_at - interval '8 days', state = 'garbage', passes = 1,
        not_before = clock_timestamp() - interval '2 hours'
      where content = (select content from files where name = 'short')`
    await sql`delete from files where name = 'short'`
    await sql`update objects set created_at = created_at - interval '8 days' where state = 'live'`
    const doctor = await openDoctor(place)
    const { code, report, words } = await doctor.run()
    expect(code).toBe(0)
    const whys = Object.fromEntries(report.orphans.map(({ key, why }: { key: string; why: string }) => [key, why]))
    const forgottenKey = forgotten.slice(bucketFolder.length + 1)
    expect(whys).toMatchObject({
      [young]: 'no row names it',
      [old]: 'no row names it',
      [forgottenKey]: 'its file is gone',
    })
    expect(Object.values(whys)).toContain('no server has removed it')
    expect(words).toContain('Nothing was changed')
    expect(await doctor.run('--fix')).toMatchObject({
      report: { fixed: true },
      words: expect.stringContaining('Servers remove'),
    })
    const garbage = await sql<{ key: string }[]>`select key from objects where state = 'garbage'`
    const keys = garbage.map(({ key }) => key)
    expect(keys).toContain(old)
    expect(keys).toContain(forgottenKey)
    expect(keys).not.toContain(young)
  })

  it('refuses a database of another version, and reads the data folder that is named', async () => {
    const place = { ...(await emptyPlace()), database: await emptyDatabase() }
    const doctor = await openDoctor(place)
    expect(await doctor.run()).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('No server has used the database'),
    })
    const sql = place.database.connect()
    await sql`create table schema_version (version int primary key)`
    await sql`insert into schema_version values (1)`
    expect(await doctor.run()).toMatchObject({ code: 5, stderr: expect.stringContaining('that of an older filejobs') })
    await sql`insert into schema_version values (999)`
    expect(await doctor.run()).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('a newer filejobs has upgraded'),
    })
    const none = await doctor.run('--data', '/nowhere')
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('/nowhere is no data folder') })
  })
})

/** A place with four files of ann's, whose server has ended. */
async function closedCluster() {
  const place = await emptyPlace()
  const { servers, logIn } = await startCluster(1, { place })
  const [ann] = await logIn('ann')
  for (const name of ['missing', 'short', 'whole']) expect((await ann!.put(name, 'bytes')).status).toBe(201)
  expect((await ann!.put('large', Buffer.alloc(9 * 1024 ** 2))).status).toBe(201)
  servers[0]!.child.kill('SIGTERM')
  expect(await servers[0]!.ended()).toBe(0)
  const sql = place.database.connect()
  const bucketFolder = join(inject('bucket')!.folder, place.prefix)
  return {
    place,
    sql,
    bucketFolder,
    /** The path of the first object of a file. */
    async objectOf(name: string): Promise<string> {
      const [row] = await sql<{ key: string }[]>`
        select key from objects join files using (content) where name = ${name} and position = 0`
      return join(bucketFolder, row!.key)
    },
  }
}

async function openDoctor(place: ClusterPlace) {
  const client = await openClient()
  const env = placeVariables(place)
  return {
    async run(...args: string[]) {
      const { code, stdout, stderr } = await client.run(['doctor', '--json', ...args], { env })
      const { stdout: words } = await client.run(['doctor', ...args], { env })
      return { code, stderr, words, report: stdout === '' ? undefined : JSON.parse(stdout) }
    },
  }
}
