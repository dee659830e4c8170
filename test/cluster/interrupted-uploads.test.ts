import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startInterruptedUploads } from '../../dist/server/stores/s3/interrupted-uploads.js'
import { type BucketStores, openBucketStores } from './helpers/files.js'
import { hasCluster } from './helpers/servers.js'

const hour = 3_600_000

describe.skipIf(!hasCluster)('an upload that no server runs', () => {
  it('is kept for a while, and then ends with all it has', async () => {
    const { stores, uploads, records } = await open()
    const [kept, late, running] = [await add(stores), await add(stores), await add(stores, { isRunning: true })]
    await age(stores, [late, running], 2 * hour)
    await uploads.run()
    expect(await states(stores)).toEqual({ [kept]: null, [late]: 'upload-gone', [running]: null })
    expect(records).toMatchObject([[{ id: late, state: 'failed', error: { code: 'upload-gone' } }, 1]])
    expect((await stores.node.sql`select id from partials order by id`).map(({ id }) => id)).toEqual(
      [kept, running].sort(),
    )
    await stores.collector.run()
    expect(stores.stored.keys()).toHaveLength(2)
  })

  it('ends if its account was removed or disabled, or its bytes are lost', async () => {
    const { stores, uploads } = await open()
    const [removed, disabled, lost] = [await add(stores, { accountId: 9 }), await add(stores), await add(stores)]
    await stores.node.sql`update accounts set is_disabled = true`
    await stores.partials.remove(lost)
    await uploads.run()
    const code = 'shutting-down'
    expect(await states(stores)).toEqual({ [removed]: code, [disabled]: code, [lost]: code })
  })

  it('leaves nothing if its job has ended without its server, or never had one', async () => {
    const { stores, uploads } = await open()
    const [ended, justEnded, part] = [await add(stores), await add(stores), await add(stores)]
    const { sql } = stores.node
    await sql`update jobs set ended_at = clock_timestamp() where id = ${justEnded}`
    await sql`update jobs set ended_at = clock_timestamp() - interval '2 minutes' where id = ${ended}`
    await sql`delete from jobs where id = ${part}`
    await sql`update partials set node = null where id = ${part}`
    await uploads.run()
    expect((await sql`select id from partials`).map(({ id }) => id)).toEqual([justEnded])
  })

  it('leaves nothing at once if its job was stopped while no server ran it', async () => {
    const { stores } = await open()
    const [stopped, kept] = [await add(stores), await add(stores)]
    const { sql, reaper, lease } = stores.node
    await sql`
      insert into job_requests (id, job, asked_by, request, is_stop)
      values (${randomUUID()}, ${stopped}, ${lease.id}, ${sql.json({ do: 'stop', by: 'user:ann' })}, true)`
    await reaper.run()
    const [row] = await sql`select state, record from jobs where id = ${stopped}`
    expect(row).toMatchObject({ state: 'stopped', record: { stoppedBy: 'user:ann' } })
    expect((await sql`select id from partials`).map(({ id }) => id)).toEqual([kept])
    await stores.collector.run()
    expect(stores.stored.keys()).toHaveLength(1)
  })

  it('is done if it was published before its server died', async () => {
    const { stores } = await open()
    const id = await add(stores)
    const { sql, reaper, clock, lease } = stores.node
    await sql`update partials set content = null where id = ${id}`
    await sql`update jobs set state = 'committing' where id = ${id}`
    clock.skip(lease.leaseMs)
    await reaper.run()
    const [row] = await sql`select state, record from jobs where id = ${id}`
    expect(row).toMatchObject({ state: 'done', record: { state: 'done', bytes: 10, percent: 100, error: null } })
  })

  it('is looked for from time to time, and a failure is reported', async () => {
    const { stores, errors } = await open()
    await stores.node.sql`alter table partials rename to elsewhere`
    await stores.node.clock.advance(60_000)
    await expect.poll(() => errors).toMatchObject([{ message: expect.stringContaining('partials') }])
    await stores.node.sql`alter table elsewhere rename to partials`
  })
})

async function open() {
  const stores = await openBucketStores()
  const { sql, clock } = stores.node
  await sql`insert into accounts (id, role, username, password_hash) values (1, 'user', 'ann', '')`
  const [errors, records]: [unknown[], unknown[]] = [[], []]
  const uploads = startInterruptedUploads(sql, {
    clock,
    keepMs: hour,
    onRecord: (...record) => records.push(record),
    onError: (error) => errors.push(error),
  })
  onTestFinished(async () => {
    await uploads.close()
    expect(errors.length).toBeLessThan(2)
  })
  return { stores, uploads, records, errors }
}

/** The row of a job with a partial of three bytes. */
async function add(stores: BucketStores, { accountId = 1, isRunning = false } = {}): Promise<string> {
  const id = randomUUID()
  const { sql, lease } = stores.node
  const record = { id, kind: 'upload', state: 'interrupted', bytes: 3, totalBytes: 10, error: null }
  await sql`
    insert into jobs (id, kind, account, account_id, state, record, is_resumable, node)
    values (${id}, 'upload', 'user:ann', ${accountId}, 'interrupted', ${JSON.stringify(record)}::text::json, true,
      ${isRunning ? lease.id : null})`
  const partial = await stores.partials.create(id)
  await partial.append(Buffer.from('abc'), 3)
  await partial.saveState({ name: 'a' })
  await partial.close()
  return id
}

async function age({ node: { sql } }: BucketStores, ids: string[], ms: number): Promise<void> {
  await sql`update partials set updated_at = updated_at - ${ms} * interval '1 millisecond' where id = any(${ids})`
}

/** The code with which each job has failed; null if it has not ended. */
async function states({ node: { sql } }: BucketStores): Promise<Record<string, string | null>> {
  const rows = await sql`select id, record->'error'->>'code' as code from jobs`
  return Object.fromEntries(rows.map(({ id, code }) => [id, code]))
}
