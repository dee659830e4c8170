import { describe, expect, it } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'
import { asProblem } from '../../dist/server/jobs/outcome.js'
import { LocalSpace } from '../../dist/server/stores/local/space.js'
import { PostgresSpace } from '../../dist/server/stores/postgres/space.js'
import type { Reservation } from '../../dist/server/stores/space.js'
import { type SpaceLimitFigures, type StoredFigures, spaceContract } from '../server/stores/space-contract.js'
import { ann, bob } from '../server/stores/stored-content.js'
import { hasDatabase, testDatabase } from './helpers/database.js'
import { openNode, reap, type TestNode } from './helpers/node.js'

const plenty = { used: 0, free: 10 ** 12 }
const bounded = { maxFileSize: null, quota: 100 }

let only: TestNode | undefined

describe.skipIf(!hasDatabase)('space reservations in PostgreSQL', () => {
  spaceContract(
    async (limits, stored) => {
      // Properties open many in one test.
      if (only && !only.closing.aborted) await only.sql`truncate reservations`
      else only = await openNode(await testDatabase())
      return spaceOf(only, limits, stored)
    },
    { runs: 15 },
  )

  it('are those of all servers, for any number of concurrent requests', async () => {
    const database = await testDatabase()
    const spaces = [await openNode(database), await openNode(database)].map((node) => spaceOf(node, bounded, plenty))
    const asked = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => spaces[at % 2]!.reserve(ann, 30, 0, () => 0)),
    )
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    await spaces[1]!.reserve(bob, 100, 0, () => 0)
  })

  it('end with the server that made them', async () => {
    const database = await testDatabase()
    const [dead, alive] = [await openNode(database), await openNode(database)]
    const space = spaceOf(alive, bounded, plenty)
    await spaceOf(dead, bounded, plenty).reserve(ann, 60, 0, () => 0)
    await expect(space.reserve(ann, 41, 0, () => 0)).rejects.toMatchObject({ code: 'quota-exceeded' })
    await dead.kill()
    await reap(dead, alive)
    await space.reserve(ann, 100, 0, () => 0)
  })

  it('are refused by a server that was found dead, as what can be tried again', async () => {
    const database = await testDatabase()
    const [dead, alive] = [await openNode(database), await openNode(database)]
    await reap(dead, alive)
    const error = await spaceOf(dead, bounded, plenty)
      .reserve(ann, 1, 0, () => 0)
      .catch((error: unknown) => error)
    expect(asProblem(error)).toMatchObject({ code: 'storage-unavailable', message: expect.stringMatching(/Try again/) })
  })

  it('that the disk refuses take nothing from the quota', async () => {
    const database = await testDatabase()
    const [full, other] = [await openNode(database), await openNode(database)]
    const refused = spaceOf(full, bounded, { used: 0, free: 10 }).reserve(ann, 60, 0, () => 0)
    await expect(refused).rejects.toMatchObject({ code: 'disk-full' })
    const space = spaceOf(other, bounded, plenty)
    await expect.poll(() => space.reserve(ann, 100, 0, () => 0).catch(() => null)).not.toBeNull()
  })

  it('reserve nothing ahead where the quota has no room for it, and evict no one for that', async () => {
    const node = await openNode(await testDatabase())
    const space = spaceOf(node, { maxFileSize: null, quota: 2 * 1024 ** 2 }, plenty)
    let idle: Reservation | undefined
    let evicted = 0
    const holder = {
      isIdle: true,
      async evict() {
        evicted++
        idle?.release()
      },
    }
    idle = await space.reserve(ann, 1024 ** 2, 0, () => 0, holder)
    const growing = await space.reserve(ann, 0, 0, () => 0)
    await growing.cover(1000)
    expect(evicted).toBe(0)
    await growing.cover(1024 ** 2 + 1)
    expect(evicted).toBe(1)
  })
})

function spaceOf({ sql, lease, closing }: TestNode, limits: SpaceLimitFigures, stored: StoredFigures): PostgresSpace {
  const usage = async ({ username }: { username: string }) => (username === ann.username ? stored.used : 0)
  const disk = new LocalSpace(
    { usage, freeBytes: async () => stored.free, freed: async () => {} },
    { maxFileSize: limits.maxFileSize, quotaOf: async () => null },
  )
  const onError = (error: unknown) => expect.unreachable(String(error))
  const quotaOf = async () => limits.quota
  return new PostgresSpace(sql, { lease, quotaOf, usage, disk, clock: systemClock, closing, onError })
}
