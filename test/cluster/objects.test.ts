import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { sentBytesOf } from '../../dist/server/stores/s3/bucket.js'
import { discardPublished, discardUnpublished, publishContents } from '../../dist/server/stores/s3/objects.js'
import { eventually } from '../helpers/eventually.js'
import { hasBucket } from './helpers/bucket.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { hasDatabase, testDatabase } from './helpers/database.js'
import { ageGarbage, type ObjectNode, openObjects } from './helpers/files.js'
import { reap } from './helpers/node.js'

describe.skipIf(!hasDatabase || !hasBucket)('an object of a content', () => {
  it('is a row before it is bytes, and garbage if it cannot be stored', async () => {
    const proxy = await startBucketProxy()
    const own = await openObjects(await testDatabase(), { origin: proxy.origin })
    const stop = new AbortController()
    proxy.faults = ['silent']
    const storing = own.objects.store({ content: 'c', position: 0 }, sentBytesOf('abc'), { signal: stop.signal })
    await eventually('the request has arrived', () => proxy.requests.length)
    expect(await rowsOf(own)).toMatchObject([{ content: 'c', state: 'pending', size: 3 }])
    stop.abort(new Error('stopped'))
    await expect(storing).rejects.toThrow('stopped')
    expect(await rowsOf(own)).toMatchObject([{ state: 'garbage', passes: 3 }])
    expect(await own.objects.list('c')).toEqual([])
  })

  it('is listed with the others of its content, in order', async () => {
    const { objects, stored } = await openObjects(await testDatabase())
    const second = await objects.store({ content: 'c', position: 1 }, sentBytesOf('de'))
    const [first, other] = await objects.storeAll([
      { content: 'c', position: 0, body: sentBytesOf('abc') },
      { content: 'other', position: 0, body: sentBytesOf('') },
    ])
    expect((await objects.list('c')).map(({ key, size }) => [key, size])).toEqual([
      [first!.key, 3],
      [second.key, 2],
    ])
    const found = await objects.listMany(['c', 'other', 'missing'])
    expect([...found.keys()].sort()).toEqual(['c', 'other'])
    expect(stored.keys()).toEqual([first!.key, second.key, other!.key].sort())
  })

  it('is refused where others have found this server dead meanwhile', async () => {
    const database = await testDatabase()
    const proxy = await startBucketProxy()
    const [dead, alive] = [await openObjects(database, { origin: proxy.origin }), await openObjects(database)]
    proxy.hold()
    const storing = dead.objects.store({ content: 'c', position: 0 }, sentBytesOf('abc'))
    storing.catch(() => {})
    await eventually('the request has arrived', () => proxy.requests.length)
    await reap(dead.node, alive.node)
    proxy.release()
    await expect(storing).rejects.toMatchObject({ code: 'storage-unavailable' })
    await alive.collector.run()
    expect(await rowsOf(alive)).toMatchObject([{ state: 'garbage' }])
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('garbage in the bucket', () => {
  it('is removed: at once what was never published, after a minute what was', async () => {
    const own = await openObjects(await testDatabase())
    const { objects, collector, node, stored } = own
    for (const content of ['published', 'not']) await objects.store({ content, position: 0 }, sentBytesOf('abc'))
    await node.sql.begin((sql) => publishContents(sql, new Map([['published', 3]])))
    const incomplete = node.sql.begin((sql) => publishContents(sql, new Map([['not', 4]])))
    await expect(incomplete).rejects.toMatchObject({ code: 'storage-unavailable' })
    await collector.run()
    expect(stored.keys()).toHaveLength(2)
    await discardUnpublished(node.sql, ['published', 'not'])
    await node.sql.begin((sql) => discardPublished(sql, ['published', 'not']))
    await collector.run()
    expect(await rowsOf(own)).toMatchObject([{ content: 'published', state: 'garbage' }])
    expect(stored.keys()).toHaveLength(1)
    await ageGarbage(own, 1)
    await collector.run()
    expect([await rowsOf(own), stored.keys(), own.errors]).toEqual([[], [], []])
  })

  it('is kept while it is being read, also by another server, but not by a dead one', async () => {
    const database = await testDatabase()
    const own = await openObjects(database)
    const [reader, dead] = [await openObjects(database), await openObjects(database)]
    await own.objects.store({ content: 'c', position: 0 }, sentBytesOf('abc'))
    const release = await reader.objects.keep('c')
    await dead.objects.keep('c')
    await own.node.sql.begin(async (sql) => {
      await publishContents(sql, new Map([['c', 3]]))
      await discardPublished(sql, ['c'])
    })
    await ageGarbage(own, 1)
    await reap(dead.node, own.node)
    await own.collector.run()
    expect(own.stored.keys()).toHaveLength(1)
    await release()
    await own.collector.run()
    expect(own.stored.keys()).toEqual([])
  })

  it('of a dead server is removed again after a minute and after an hour, since its requests may arrive late', async () => {
    const database = await testDatabase()
    const proxy = await startBucketProxy()
    const prefix = randomUUID()
    const dead = await openObjects(database, { origin: proxy.origin, prefix })
    const own = await openObjects(database, { prefix })
    proxy.hold()
    const storing = dead.objects.store({ content: 'c', position: 0 }, sentBytesOf('abc'))
    storing.catch(() => {})
    await eventually('the request has arrived', () => proxy.requests.length)
    await own.collector.run()
    expect(await rowsOf(own)).toMatchObject([{ state: 'pending' }])
    await reap(dead.node, own.node)
    await own.collector.run()
    expect(await rowsOf(own)).toMatchObject([{ state: 'garbage', passes: 2 }])
    proxy.release()
    await expect(storing).rejects.toThrow()
    expect(own.stored.keys()).toHaveLength(1)
    for (const minutes of [1, 60]) {
      await own.collector.run()
      expect(await rowsOf(own)).toHaveLength(1)
      await ageGarbage(own, minutes)
      await own.collector.run()
      expect(own.stored.keys()).toEqual([])
    }
    expect(await rowsOf(own)).toEqual([])
  })

  it('includes what belongs to nothing an hour after it was stored', async () => {
    const own = await openObjects(await testDatabase())
    const { sql } = own.node
    for (const content of ['none', 'partial']) await own.objects.store({ content, position: 0 }, sentBytesOf('abc'))
    await sql`insert into partials (id, content, node) values ('one', 'partial', ${own.node.lease.id})`
    await own.collector.run()
    expect(own.stored.keys()).toHaveLength(2)
    await sql`update objects set created_at = created_at - interval '1 hour'`
    await own.collector.run()
    expect(own.stored.keys()).toHaveLength(1)
    expect(await own.objects.list('partial')).toHaveLength(1)
  })

  it('includes no object of a content that is still being stored', async () => {
    const own = await openObjects(await testDatabase())
    const store = (position: number) => own.objects.store({ content: 'long', position }, sentBytesOf('abc'))
    await store(0)
    await own.node.sql`update objects set created_at = created_at - interval '2 hours'`
    await store(1)
    await own.collector.run()
    expect(own.stored.keys()).toHaveLength(2)
  })

  it('is tried again where the bucket does not answer', async () => {
    const proxy = await startBucketProxy()
    const own = await openObjects(await testDatabase(), { origin: proxy.origin })
    await own.objects.store({ content: 'c', position: 0 }, sentBytesOf('abc'))
    await discardUnpublished(own.node.sql, ['c'])
    proxy.faults = ['forbidden']
    await own.collector.run()
    expect(own.errors).toMatchObject([{ code: 'storage-unavailable', cause: { status: 403 } }])
    await ageGarbage(own, 1)
    await own.collector.run()
    expect(own.stored.keys()).toEqual([])
  })
})

function rowsOf({ node }: ObjectNode) {
  return node.sql`select * from objects order by content`.then((rows) => [...rows])
}
