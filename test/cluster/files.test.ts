import { randomBytes, randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { small } from '../server/stores/small-files-contract.js'
import { ann, fill, names, opened, publicationOf, publish, readAll, sha256 } from '../server/stores/stored-content.js'
import { hasBucket } from './helpers/bucket.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { hasDatabase, testDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { ageGarbage, openBucketStores } from './helpers/files.js'
import { reap } from './helpers/node.js'

const target = { space: ann, name: 'a', type: 'text/x-test' }

describe.skipIf(!hasDatabase || !hasBucket)('a file of several objects', () => {
  const objectSize = () => 1000

  it('is sent while it is received, and read across their ends', async () => {
    const stores = await openBucketStores({ objectSize })
    const content = randomBytes(5500)
    const partial = await opened(stores.partials.create('one'))
    await partial.append(content, content.length)
    await eventually('all but the last object are stored', () => stores.stored.keys().length === 5)
    await partial.sync()
    await partial.publish({ ...target, sha256: await partial.digest('sha256') })
    expect(await readdir(stores.scratch)).toEqual([])
    const file = (await stores.files.open(ann, 'a'))!
    const buffer = Buffer.alloc(2500)
    for (const position of [0, 2500, 900, 3100, 5000, 5500]) {
      const expected = content.subarray(position, position + 2500)
      expect(buffer.subarray(0, await file.read(buffer, position)).equals(expected)).toBe(true)
    }
    await file.close()
    await expect(file.read(buffer, 0)).rejects.toThrow('closed')
    const [listed] = await stores.files.list(ann, { prefix: '', after: '', limit: 1 })
    expect((await stores.files.readSmall(ann, [listed!]))[0]).toEqual(content)
  })

  it('is left alone by a server that lost it to another one', async () => {
    const first = await openBucketStores({ objectSize })
    const second = await openBucketStores({ objectSize, database: first.database, prefix: first.stored.prefix })
    const partial = await opened(first.partials.create('moved'))
    await partial.append(Buffer.alloc(1500, 'a'), 1500)
    await partial.saveState({ resumable: true })
    await partial.sync()
    await second.node.sql`delete from nodes where id = ${first.node.lease.id}`
    const taken = (await opened(second.partials.take('moved')))!
    await partial.remove()
    await taken.append(Buffer.alloc(500, 'b'), 500)
    await taken.sync()
    await taken.publish({ ...target, sha256: await taken.digest('sha256') })
    const file = (await second.files.open(ann, 'a'))!
    expect(String(await readAll(file))).toBe('a'.repeat(1500) + 'b'.repeat(500))
    await file.close()
  })

  it('is synced and digested at the same time', async () => {
    const proxy = await startBucketProxy()
    const stores = await openBucketStores({ objectSize, origin: proxy.origin })
    const content = randomBytes(2500)
    // One of the objects is stored later than the others.
    for (const before of [0, 1]) {
      const name = `${before}`
      const partial = await opened(stores.partials.create(name))
      proxy.hold()
      proxy.faults = [...Array(before).fill(null), 'busy']
      const earlier = proxy.requests.length
      await partial.append(content, content.length)
      await eventually('two objects are under way', () => proxy.requests.length === earlier + 2)
      const [synced, digest] = [partial.sync(), partial.digest('sha256')]
      proxy.release()
      await synced
      await partial.publish({ ...target, name, sha256: await digest })
      expect((await stores.files.find(ann, name))?.sha256).toBe(sha256(content))
    }
  })

  it('is continued by another server, and cut across their ends', async () => {
    const first = await openBucketStores({ objectSize })
    const content = randomBytes(4500)
    const partial = await fill(first.partials, content)
    await partial.saveState({ offset: 4500 })
    const second = await openBucketStores({ database: first.database, prefix: first.stored.prefix, objectSize })
    await first.node.kill()
    await reap(first.node, second.node)
    expect(await second.partials.listAbandoned()).toMatchObject([{ id: partial.id, size: 4500 }])
    await second.collector.run()
    const taken = (await opened(second.partials.take(partial.id)))!
    await taken.truncate(2500)
    await taken.append(content.subarray(2500), 2000)
    await taken.sync()
    const digest = await taken.digest('sha256')
    expect(digest).toBe(sha256(content))
    await expect(partial.sync()).rejects.toThrow()
    await taken.publish({ ...target, sha256: digest })
    const file = (await second.files.open(ann, 'a'))!
    expect((await readAll(file)).equals(content)).toBe(true)
    await file.close()
    await second.collector.run()
    const kept = await second.node.sql`select key from objects where state = 'live'`
    expect(second.stored.keys()).toEqual(kept.map(({ key }) => key).sort())
  })

  it('counts up to the first object that a dead server did not store', async () => {
    const first = await openBucketStores({ objectSize })
    const partial = await fill(first.partials, randomBytes(3000))
    await partial.saveState({})
    await first.node.sql`update objects set state = 'pending' where position = 1`
    const second = await openBucketStores({ database: first.database, prefix: first.stored.prefix, objectSize })
    expect((await opened(second.partials.take(partial.id)))!.size).toBe(1000)
    await ageGarbage(second, 1)
    await second.collector.run()
    expect(second.stored.keys()).toHaveLength(1)
  })

  it('is read on where a response breaks off', async () => {
    const proxy = await startBucketProxy()
    const stores = await openBucketStores({ objectSize, origin: proxy.origin })
    const content = randomBytes(2500)
    await publish(stores, 'a', content)
    proxy.faults = ['short', null, 'short', 'short']
    const file = (await stores.files.open(ann, 'a'))!
    expect((await readAll(file)).equals(content)).toBe(true)
    await file.close()
  })

  it('is damaged if one of them is missing in the bucket', async () => {
    const stores = await openBucketStores({ objectSize })
    await publish(stores, 'a', randomBytes(2500))
    const [, second] = await stores.node.sql`select key from objects order by position`
    await stores.stored.bucket.delete(second!.key)
    const file = (await stores.files.open(ann, 'a'))!
    expect(await file.read(Buffer.alloc(1000), 0)).toBe(1000)
    await expect(file.read(Buffer.alloc(1000), 1000)).rejects.toMatchObject({ code: 'file-damaged' })
    await file.close()
    expect(await stores.files.readSmall(ann, [file.file])).toEqual([undefined])
  })

  it('leaves nothing if it is removed while objects are under way', async () => {
    const proxy = await startBucketProxy()
    const stores = await openBucketStores({ objectSize, origin: proxy.origin })
    proxy.hold()
    const partial = await opened(stores.partials.create('one'))
    const appending = partial.append(randomBytes(5000), 5000)
    appending.catch(() => {})
    await eventually('objects are under way', () => proxy.requests.length > 1)
    await partial.remove()
    await expect(appending).rejects.toThrow('was removed')
    await expect(partial.append(Buffer.from('x'), 1)).rejects.toThrow('was removed')
    proxy.release()
    await stores.collector.run()
    for (const minutes of [1, 60]) {
      await ageGarbage(stores, minutes)
      await stores.collector.run()
    }
    expect([stores.stored.keys(), await stores.node.sql`select * from objects`]).toEqual([[], []])
    expect(await readdir(stores.scratch)).toEqual([])
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('files of quick senders', () => {
  const mebibyte = 1024 ** 2

  it('are collected in memory, as far as there is some, and else in the spool', async () => {
    const stores = await openBucketStores({ objectSize: () => mebibyte })
    const contents = Array.from({ length: 12 }, () => randomBytes(2.5 * mebibyte))
    const partials = await Promise.all(contents.map((_, index) => opened(stores.partials.create(`${index}`))))
    await Promise.all(partials.map((partial, index) => partial.append(contents[index]!, 512 * 1024)))
    // More than have memory.
    expect(await readdir(stores.scratch)).toHaveLength(4)
    const publishing = partials.map(async (partial, index) => {
      const content = contents[index]!
      await partial.append(content.subarray(512 * 1024), content.length - 512 * 1024)
      await partial.sync()
      const digest = await partial.digest('sha256')
      expect(digest).toBe(sha256(content))
      await partial.publish({ ...target, name: `${index}`, sha256: digest })
      const file = (await stores.files.open(ann, `${index}`))!
      const read = Buffer.alloc(content.length)
      expect(await file.read(read, 0)).toBe(content.length)
      expect(read.equals(content)).toBe(true)
      await file.close()
    })
    await Promise.all(publishing)
    expect(await readdir(stores.scratch)).toEqual([])
  })

  it('give their memory back when they are removed, closed and cut', async () => {
    const stores = await openBucketStores({ objectSize: () => mebibyte })
    const half = randomBytes(512 * 1024)
    const isInMemory = async () => {
      const partial = await opened(stores.partials.create(randomUUID()))
      await partial.append(half, half.length)
      const isSpooled = (await readdir(stores.scratch)).length > 0
      await partial.remove()
      return !isSpooled
    }
    for (let round = 0; round < 10; round++) {
      const partial = await opened(stores.partials.create(`${round}`))
      const appending = partial.append(half, half.length)
      appending.catch(() => {})
      if (round % 2 === 0) {
        await appending
        if (round % 4 === 0) await partial.truncate(300)
        await partial.close()
      } else await partial.remove()
      await Promise.allSettled([appending])
      expect(await isInMemory()).toBe(true)
    }
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('a partial that is removed', () => {
  it('takes no byte any more, whatever it was about to do', async () => {
    const stores = await openBucketStores({ objectSize: () => 1000 })
    for (let round = 0; round < 10; round++) {
      const partial = await opened(stores.partials.create(`${round}`))
      if (round % 2 === 0) await partial.append(randomBytes(500), 500)
      const appending = partial.append(randomBytes(1500), 1500)
      appending.catch(() => {})
      await partial.remove()
      await expect(appending).rejects.toThrow('was removed')
    }
    expect(await readdir(stores.scratch)).toEqual([])
    expect(await stores.partials.usage()).toEqual({ count: 0, bytes: 0 })
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('a server that others have found dead', () => {
  it('publishes nothing, and its partials without a state are removed', async () => {
    const database = await testDatabase()
    const dead = await openBucketStores({ database })
    const alive = await openBucketStores({ database, prefix: dead.stored.prefix })
    const partial = await fill(dead.partials, 'old')
    await reap(dead.node, alive.node)
    await publish(alive, 'a', 'new')
    const late = partial.publish({ ...target, sha256: sha256('old') })
    await expect(late).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect((await alive.files.find(ann, 'a'))?.sha256).toBe(sha256('new'))
    await alive.collector.run()
    expect(await alive.partials.usage()).toEqual({ count: 0, bytes: 0 })
    expect(alive.stored.keys()).toHaveLength(1)
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('a publish whose answer is lost', () => {
  it('has happened, for a partial and for a stage', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(database.url)
    const stores = await openBucketStores({ database, poolUrl: proxy.url })
    const partial = await fill(stores.partials, 'x')
    proxy.losesNextCommit = true
    const { file } = await partial.publish({ ...target, sha256: sha256('x') })
    expect(await stores.files.find(ann, 'a')).toEqual(file)
    const stage = await stores.stages.open({ jobId: 'job', space: ann, prefix: '', replace: true })
    await stage.addSmall([small('b', 'b')])
    proxy.losesNextCommit = true
    expect(await stage.publish(() => publicationOf())).toEqual({ removed: [{ name: 'a', size: 1 }] })
    expect(await names(stores.files)).toEqual(['b'])
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('a stage', () => {
  it('refuses files that conflict with each other', async () => {
    const { stages } = await openBucketStores()
    const stage = await stages.open({ jobId: 'job', space: ann, prefix: '', replace: false })
    await stage.addSmall([small('a', 'a'), small('b/c', '')])
    const refused = await stage.addSmall([small('a/b', 'x'), small('b', 'x')])
    expect(refused).toMatchObject([{ error: { code: 'name-conflict' } }, { error: { code: 'name-conflict' } }])
    await stage.addSmall([small('a', 'other')])
    expect(stage.bytes).toBe(5)
    await stage.discard()
  })

  it('of a dead server is removed, and cannot be published by it', async () => {
    const database = await testDatabase()
    const dead = await openBucketStores({ database })
    const alive = await openBucketStores({ database, prefix: dead.stored.prefix })
    const stage = await dead.stages.open({ jobId: 'job', space: ann, prefix: '', replace: false })
    await stage.addSmall([small('a', 'a')])
    await reap(dead.node, alive.node)
    expect(await alive.stages.listAbandoned()).toMatchObject([{ id: 'job', files: 1 }])
    await expect(stage.publish(() => publicationOf())).rejects.toMatchObject({ code: 'storage-unavailable' })
    await alive.collector.run()
    expect([await alive.stages.listAbandoned(), alive.stored.keys()]).toEqual([[], []])
    await alive.stages.finish('job')
    const partial = await fill(alive.partials, 'x')
    const missing = partial.publish({ ...target, sha256: sha256('x'), stage: 'job' })
    await expect(missing).rejects.toMatchObject({ code: 'storage-unavailable' })
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('the names of files in a database', () => {
  it('are sorted by UTF-16 code units, beyond U+FFFF too', async () => {
    const stores = await openBucketStores()
    const sorted = ['a/\u{1f600}', 'a/\uff21', 'a/b', 'a\u{1f600}', 'a\uff21'].sort()
    for (const name of sorted) await publish(stores, name, 'x')
    expect(await names(stores.files)).toEqual(sorted)
    await stores.folders.move(ann, 'a/', '\u{1f600}/')
    expect(await names(stores.files)).toContain('\u{1f600}/\uff21')
    const found = await stores.files.list(ann, { prefix: '\u{1f600}/', after: '', limit: 10, search: 'B' })
    expect(found).toMatchObject([{ name: '\u{1f600}/b' }])
  })
})
