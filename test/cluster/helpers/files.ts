import { onTestFinished } from 'vitest'
import { type GarbageCollector, startGarbageCollector } from '../../../dist/server/stores/s3/garbage-collector.js'
import { Objects } from '../../../dist/server/stores/s3/objects.js'
import { openTestBucket, type TestBucket } from './bucket.js'
import type { TestDatabase } from './database.js'
import { openNode, type TestNode } from './node.js'

export interface ObjectNode {
  node: TestNode
  objects: Objects
  collector: GarbageCollector
  stored: TestBucket
  errors: unknown[]
}

/** A server's part of the bucket. Its collector does nothing by itself. */
export async function openObjects(
  database: TestDatabase,
  { prefix, origin }: { prefix?: string; origin?: string } = {},
): Promise<ObjectNode> {
  const node = await openNode(database)
  const stored = openTestBucket({ ...(prefix ? { prefix } : {}), ...(origin ? { origin } : {}) })
  const { bucket } = stored
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const collector = startGarbageCollector(node.sql, { bucket, clock: node.clock, onError })
  onTestFinished(() => collector.close())
  return { node, objects: new Objects(node.sql, { bucket, lease: node.lease }), collector, stored, errors }
}

/** As if this much time had passed for all garbage. */
export async function ageGarbage({ node }: ObjectNode, minutes: number): Promise<void> {
  await node.sql`update objects set not_before = not_before - ${minutes} * interval '1 minute'`
}
