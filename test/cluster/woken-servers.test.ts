import { describe, expect, it } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'
import { Job } from '../../dist/server/jobs/job.js'
import { asProblem } from '../../dist/server/jobs/outcome.js'
import type { PartialFile } from '../../dist/server/stores/partials.js'
import { eventually } from '../helpers/eventually.js'
import { ann, fill, opened, readAll, sha256 } from '../server/stores/stored-content.js'
import { hasBucket } from './helpers/bucket.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { hasDatabase, testDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { ageGarbage, type BucketStores, openBucketStores } from './helpers/files.js'
import { reap } from './helpers/node.js'

const objectSize = () => 1000

/** A server, and another one that finds it dead. */
async function openTwo(options: { origin?: string } = {}) {
  const database = await testDatabase()
  const dead = await openBucketStores({ database, objectSize, ...options })
  const alive = await openBucketStores({ database, objectSize, prefix: dead.stored.prefix })
  return { dead, alive }
}

async function publishAs(partial: PartialFile, content: string): Promise<void> {
  const target = { space: ann, name: 'a', type: 'text/x-test' }
  await partial.publish({ ...target, sha256: sha256(content) })
}

async function contentOf({ files }: BucketStores): Promise<string> {
  const file = (await files.open(ann, 'a'))!
  const content = String(await readAll(file))
  await file.close()
  return content
}

/** Continues what another server has received, and publishes it. */
async function finish(stores: BucketStores, id: string, rest: string): Promise<PartialFile> {
  const partial = (await opened(stores.partials.take(id)))!
  await partial.append(Buffer.from(rest), rest.length)
  await partial.sync()
  return partial
}

describe.skipIf(!hasDatabase || !hasBucket)('an upload that another server has continued', () => {
  it('has none of the objects that were under way when its server died', async () => {
    const proxy = await startBucketProxy()
    const { dead, alive } = await openTwo({ origin: proxy.origin })
    const partial = await opened(dead.partials.create('moved'))
    await partial.saveState({ resumable: true })
    proxy.hold()
    await partial.append(Buffer.alloc(1000, 'x'), 1000)
    await eventually('an object is under way', () => proxy.requests.length === 1)
    await reap(dead.node, alive.node)
    await alive.collector.run()
    const taken = await finish(alive, 'moved', 'new')
    await publishAs(taken, 'new')
    expect(await contentOf(alive)).toBe('new')
    proxy.release()
    await expect(partial.sync()).rejects.toMatchObject({ code: 'storage-unavailable' })
    await partial.remove()
    for (const minutes of [0, 1, 60]) {
      await ageGarbage(alive, minutes)
      await alive.collector.run()
      expect(await contentOf(alive)).toBe('new')
    }
    expect(alive.stored.keys()).toHaveLength(1)
  })

  it('is left alone by its first server, whatever that one still does', async () => {
    const { dead, alive } = await openTwo()
    const partial = await fill(dead.partials, 'x'.repeat(2500))
    const { id } = partial
    await partial.saveState({ resumable: true })
    await reap(dead.node, alive.node)
    const taken = await finish(alive, id, 'new')
    const content = `${'x'.repeat(2500)}new`
    const keys = alive.stored.keys()
    const untouched = async () => {
      await expect(partial.truncate(500)).rejects.toMatchObject({ code: 'storage-unavailable' })
      const more = partial.append(Buffer.alloc(1000), 1000).then(() => partial.sync())
      await expect(more).rejects.toMatchObject({ code: 'storage-unavailable' })
      await expect(dead.partials.saveState(id, {})).rejects.toMatchObject({ code: 'storage-unavailable' })
      await expect(partial.saveState({})).rejects.toMatchObject({ code: 'storage-unavailable' })
      await dead.partials.remove(id)
      expect(await alive.partials.find(id)).toMatchObject({ state: { resumable: true } })
    }
    // Before it has noticed that it was found dead, and after that.
    await untouched()
    await dead.node.lease.beat()
    await untouched()
    await publishAs(taken, content)
    await partial.remove()
    expect(await contentOf(alive)).toBe(content)
    expect(alive.stored.keys()).toEqual(keys)
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('an upload that no server runs', () => {
  it('stays, whatever a server does that was found dead with it', async () => {
    const { dead, alive } = await openTwo()
    const first = await openBucketStores({ database: dead.database, prefix: dead.stored.prefix, objectSize })
    const partial = await fill(first.partials, 'abc')
    const { id } = partial
    await partial.saveState({ resumable: true })
    await partial.close()
    const plan = { id, kind: 'upload', accountId: 1, account: 'user:ann', isResumable: true } as const
    const job = new Job(plan, () => {}, systemClock)
    const { seq } = await first.node.slots.register(job)
    await first.node.slots.handOver(job)
    await dead.node.slots.register(job, seq)
    for (const { node } of [first, dead]) await reap(node, alive.node)
    for (const each of [dead, dead]) {
      await expect(each.partials.saveState(id, {})).rejects.toMatchObject({ code: 'storage-unavailable' })
      await each.partials.remove(id)
      expect(await alive.partials.find(id)).toMatchObject({ size: 3, state: { resumable: true } })
      await dead.node.lease.beat()
    }
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('a server that does not know yet that it was found dead', () => {
  it('refuses a download as what can be tried again', async () => {
    const { dead, alive } = await openTwo()
    await publishAs(await fill(alive.partials, 'x'), 'x')
    await reap(dead.node, alive.node)
    const refusal = asProblem(await contentOf(dead).catch((error: unknown) => error))
    expect(refusal).toMatchObject({ code: 'storage-unavailable', message: expect.stringMatching(/Try again/) })
  })
})

describe.skipIf(!hasDatabase || !hasBucket)('a file whose server does not know that it was published', () => {
  it('stays when that server removes the upload', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(database.url)
    const unsure = await openBucketStores({ database, poolUrl: proxy.url })
    const other = await openBucketStores({ database, prefix: unsure.stored.prefix })
    const partial = await fill(unsure.partials, 'x')
    await partial.saveState({ resumable: true })
    proxy.losesNextCommit = true
    proxy.closesWithCommit = true
    await expect(publishAs(partial, 'x')).rejects.toThrow()
    proxy.isOpen = true
    await partial.remove()
    await ageGarbage(other, 60)
    await other.collector.run()
    expect(await contentOf(other)).toBe('x')
  })
})
