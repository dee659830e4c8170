import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { partialsContract } from '../server/stores/partials-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { hasDatabase } from './helpers/database.js'
import { openBucketStores } from './helpers/files.js'

describe.skipIf(!hasDatabase || !hasBucket)('partials in a bucket', () => {
  partialsContract(() => openBucketStores())

  it('wait for space in the scratch folder, until another one has sent or removed its bytes', async () => {
    const stores = await openBucketStores({ objectSize: () => 1000, scratchBytes: 2500 })
    const partials = await Promise.all(['a', 'b', 'c', 'd'].map((id) => stores.partials.create(id)))
    const [a, b, c, d] = partials
    await a!.append(Buffer.alloc(10), 10)
    await b!.append(Buffer.alloc(10), 10)
    const waiting = ['c', 'd'].map((name, at) =>
      [c, d][at]!.append(Buffer.alloc(10), 10).then(
        () => name,
        () => `no ${name}`,
      ),
    )
    expect(await Promise.race([...waiting, stores.partials.usage().then(() => 'still waiting')])).toBe('still waiting')
    await c!.remove()
    expect(await waiting[0]).toBe('no c')
    await a!.sync()
    expect(await waiting[1]).toBe('d')
    expect(await stores.partials.find('a')).toMatchObject({ size: 10 })
  })

  it('save no state when others have found their server dead, and say so', async () => {
    const stores = await openBucketStores()
    const [open, closed] = [randomUUID(), randomUUID()]
    const partial = await stores.partials.create(open)
    await (await stores.partials.create(closed)).close()
    const { sql, lease } = stores.node
    for (const id of [open, closed]) {
      await sql`
        insert into jobs (id, kind, account, account_id, state, record, is_resumable)
        values (${id}, 'upload', 'user:ann', 1, 'interrupted', '{}', true)`
    }
    await sql`delete from nodes where id = ${lease.id}`
    await expect(partial.saveState({ name: 'a' })).rejects.toMatchObject({ code: 'storage-unavailable' })
    await expect(stores.partials.saveState(closed, {})).rejects.toMatchObject({ code: 'storage-unavailable' })
  })

  it('have all bytes of whole objects when their server has died, also those after its last sync', async () => {
    const stores = await openBucketStores({ objectSize: () => 1000 })
    const id = randomUUID()
    const partial = await stores.partials.create(id)
    await partial.append(Buffer.alloc(100), 100)
    await partial.sync()
    await partial.append(Buffer.alloc(2500), 2500)
    const stored = () => stores.node.sql`select from objects where state = 'stored'`
    await eventually('two more objects are stored', async () => (await stored()).length === 3)
    await stores.node.kill()
    const later = await stores.restart()
    expect(await later.partials.find(id)).toMatchObject({ size: 2100 })
    expect((await later.partials.take(id))!.size).toBe(2100)
    // Not without the one before.
    await later.node.sql`update objects set state = 'pending' where position = 1`
    expect(await later.partials.find(id)).toMatchObject({ size: 100 })
  })
})
