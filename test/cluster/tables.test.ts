import { randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ContentDigests } from '../../dist/server/stores/s3/content-digests.js'
import { openBucketTables } from '../../dist/server/stores/s3/tables.js'
import type { ImportRecord, StoredImport, TableStore } from '../../dist/server/stores/tables.js'
import { eventually } from '../helpers/eventually.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { describeTableStore } from '../server/stores/table-store-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { ageGarbage, openObjects } from './helpers/files.js'

const ann = { role: 'user', username: 'ann' }
const never = new AbortController().signal
const space = async (store: TableStore) => (await store.find(ann, 'sales'))?.imports ?? []

async function openStore(options: Parameters<typeof openObjects>[1] & { cacheBytes?: number } = {}, shared?: Shared) {
  const { cacheBytes = 10 * 1024 ** 3 } = options
  const database = shared?.database ?? (await testDatabase())
  const opened = await openObjects(database, { ...options, ...(shared ? { prefix: shared.prefix } : {}) })
  const scratch = await temporaryFolder()
  const { node, stored } = opened
  const { bucket } = stored
  const store = await openBucketTables(node.sql, {
    bucket,
    lease: node.lease,
    scratch,
    cacheBytes,
    digests: openDigests(),
  })
  return { ...opened, store, database, prefix: stored.prefix }
}

function openDigests(): ContentDigests {
  const digests = new ContentDigests()
  onTestFinished(() => digests.close())
  return digests
}

interface Shared {
  database: TestDatabase
  prefix: string
}

async function publish(store: TableStore, bytes: Buffer): Promise<StoredImport> {
  const staged = store.stage(crypto.randomUUID())
  await writeFile(join(staged.folder, staged.output), bytes)
  const [published] = await store.publish([{ staged, record: recordOf(bytes.length) }], ann, 'sales')
  await staged.remove()
  return published!
}

function recordOf(bytes: number): ImportRecord {
  return {
    ...{ file: 'sales.csv', sha256: null, rows: 3, columns: [], dateColumn: null, skipped: { count: 0, first: [] } },
    ...{ notes: [], bytes, sourceBytes: 20, outputSha256: null },
  }
}

const read = (store: TableStore, { path }: StoredImport) => readFile(join(store.folder, path))

describe.skipIf(!hasDatabase || !hasBucket)('tables in a bucket', () => {
  describeTableStore(async () => (await openStore()).store)

  it('are read by other servers from copies, which each fetches once', async () => {
    const proxy = await startBucketProxy()
    const first = await openStore()
    const content = randomBytes(9 * 1024 ** 2)
    const published = await publish(first.store, content)
    const second = await openStore({ origin: proxy.origin }, first)
    expect(await space(second.store)).toEqual([published])
    const ready = () => second.store.ready([published], never)
    const releases = await Promise.all([ready(), ready(), ready()])
    for (const release of releases) release()
    expect((await read(second.store, published)).equals(content)).toBe(true)
    expect(proxy.requests).toEqual(['GET', 'GET'])
    expect(await readdir(second.store.folder)).toEqual([published.path])
  })

  it('are kept on this machine within a bound, those that were used last, and all that are in use', async () => {
    const first = await openStore()
    const imports: StoredImport[] = []
    for (let index = 0; index < 4; index++) imports.push(await publish(first.store, randomBytes(1000)))
    const { store } = await openStore({ cacheBytes: 2500 }, first)
    const kept = () => readdir(store.folder)
    const release = await store.ready(imports, never)
    expect((await kept()).sort()).toEqual(imports.map(({ path }) => path).sort())
    release()
    await eventually('the first ones are removed', async () => (await kept()).length === 2)
    for (const each of [imports[0]!, imports[2]!, imports[0]!]) (await store.ready([each], never))()
    expect(await kept()).toContain(imports[0]!.path)
    expect(await kept()).not.toContain(imports[1]!.path)
    const again = await store.ready(imports, never)
    for (const each of imports) expect(await read(store, each)).toHaveLength(1000)
    again()
  })

  it('need no download where they were imported', async () => {
    const proxy = await startBucketProxy()
    const { store } = await openStore({ origin: proxy.origin })
    const published = await publish(store, Buffer.from('parquet'))
    ;(await store.ready([published], never))()
    expect(proxy.requests).toEqual(['PUT'])
    expect(String(await read(store, published))).toBe('parquet')
  })

  it('are read while they are removed, and removed from the bucket after that', async () => {
    const proxy = await startBucketProxy()
    const first = await openStore()
    const published = await publish(first.store, Buffer.from('parquet'))
    const second = await openStore({ origin: proxy.origin }, first)
    proxy.hold()
    const reading = second.store.ready([published], never)
    await eventually('it is being read', () => proxy.requests.length === 1)
    expect(await first.store.remove(ann, 'sales')).toBe(true)
    await ageGarbage(first, 1)
    await first.collector.run()
    expect(first.stored.keys()).toHaveLength(1)
    proxy.release()
    const release = await reading
    expect(String(await read(second.store, published))).toBe('parquet')
    release()
    await ageGarbage(first, 1)
    await first.collector.run()
    expect(first.stored.keys()).toEqual([])
    const third = await openStore({}, first)
    await expect(third.store.ready([published], never)).rejects.toMatchObject({ code: 'busy' })
    expect(await readdir(third.store.folder)).toEqual([])
  })

  it('are not fetched any more when nobody waits', async () => {
    const proxy = await startBucketProxy()
    const first = await openStore()
    const imports = [await publish(first.store, randomBytes(1000)), await publish(first.store, randomBytes(1000))]
    const { store, node } = await openStore({ origin: proxy.origin }, first)
    proxy.hold()
    const stop = new AbortController()
    const [stopped, other] = [store.ready(imports, stop.signal), store.ready(imports.slice(0, 1), never)]
    stopped.catch(() => {})
    await eventually('both are being fetched', () => proxy.requests.length === 2)
    const reason = new Error('stopped')
    stop.abort(reason)
    await expect(stopped).rejects.toBe(reason)
    proxy.release()
    ;(await other)()
    await eventually(
      'only the other file is left',
      async () => String(await readdir(store.folder)) === imports[0]!.path,
    )
    await eventually('nothing is read', async () => (await node.sql`select from object_readers`).length === 0)
    ;(await store.ready(imports, never))()
  })

  it('keep an import whose server does not know that it was published', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(database.url)
    const shared = { database, prefix: crypto.randomUUID() }
    const unsure = await openStore({ poolUrl: proxy.url }, shared)
    const other = await openStore({}, shared)
    const staged = unsure.store.stage('unsure')
    await writeFile(join(staged.folder, staged.output), 'parquet')
    proxy.losesNextCommit = true
    proxy.closesWithCommit = true
    await expect(unsure.store.publish([{ staged, record: recordOf(7) }], ann, 'sales')).rejects.toThrow()
    proxy.isOpen = true
    await staged.remove()
    await ageGarbage(other, 60)
    await other.collector.run()
    const [published] = await space(other.store)
    const release = await other.store.ready([published!], never)
    expect(String(await read(other.store, published!))).toBe('parquet')
    release()
  })

  it.each([
    ['before the commit', true],
    ['after the commit', false],
  ])('are replaced as a whole or not at all, if the database is lost %s', async (_, isLostBefore) => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(database.url)
    const shared = { database, prefix: crypto.randomUUID() }
    const unsure = await openStore({ poolUrl: proxy.url }, shared)
    const other = await openStore({}, shared)
    const old = await publish(other.store, Buffer.from('old'))
    const staged = ['one', 'two'].map((id) => unsure.store.stage(id))
    for (const each of staged) {
      await writeFile(join(each.folder, each.output), 'parquet')
      await each.prepare(never)
    }
    if (isLostBefore) proxy.resetBy = 'insert into imports'
    else {
      proxy.losesNextCommit = true
      proxy.closesWithCommit = true
    }
    const imports = staged.map((each) => ({ staged: each, record: recordOf(7) }))
    await expect(unsure.store.publish(imports, ann, 'sales', { replaces: true })).rejects.toThrow()
    proxy.isOpen = true
    proxy.resetBy = null
    for (const each of staged) await each.remove()
    const now = await space(other.store)
    if (isLostBefore) expect(now).toEqual([old])
    else expect(now.map(({ bytes }) => bytes)).toEqual([7, 7])
    await ageGarbage(other, 60)
    await other.collector.run()
    expect(other.stored.keys()).toHaveLength(isLostBefore ? 1 : 2)
    const release = await other.store.ready(now, never)
    release()
  })

  it('have nothing in the bucket of an import that is stopped, or fails', async () => {
    const proxy = await startBucketProxy()
    const { store, stored, collector, node } = await openStore({ origin: proxy.origin })
    const staged = store.stage('stopped')
    await writeFile(join(staged.folder, staged.output), 'parquet')
    await expect(staged.prepare(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
    proxy.faults = ['forbidden']
    await expect(staged.prepare(never)).rejects.toMatchObject({ code: 'storage-unavailable' })
    await staged.prepare(never)
    await staged.remove()
    await staged.remove()
    for (const minutes of [0, 1, 60]) {
      await node.sql`update objects set not_before = not_before - ${minutes} * interval '1 minute'`
      await collector.run()
    }
    expect([stored.keys(), await node.sql`select * from objects`]).toEqual([[], []])
    expect(await store.findLeftovers()).toEqual([])
  })

  it('are published if the answer to that is lost, but not by a server that was found dead', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(database.url)
    const opened = await openObjects(database, { poolUrl: proxy.url })
    const { node, stored } = opened
    const services = { bucket: stored.bucket, lease: node.lease }
    const store = await openBucketTables(node.sql, {
      ...services,
      cacheBytes: 10 * 1024 ** 3,
      digests: openDigests(),
      scratch: await temporaryFolder(),
    })
    const staged = store.stage('one')
    await writeFile(join(staged.folder, staged.output), 'parquet')
    await staged.prepare(never)
    proxy.losesNextCommit = true
    const published = await store.publish([{ staged, record: recordOf(7) }], ann, 'sales')
    expect(await space(store)).toEqual(published)
    const late = store.stage('late')
    await writeFile(join(late.folder, late.output), 'parquet')
    await late.prepare(never)
    await node.sql`update objects set state = 'garbage', not_before = now(), passes = 1 where state = 'stored'`
    const refused = store.publish([{ staged: late, record: recordOf(7) }], ann, 'sales', { replaces: true })
    await expect(refused).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(await space(store)).toEqual(published)
  })
})
