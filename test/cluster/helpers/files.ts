import { onTestFinished } from 'vitest'
import type { RepeatedWork } from '../../../dist/server/concurrency/repeated-work.js'
import { ContentDigests } from '../../../dist/server/stores/s3/content-digests.js'
import { openBucketFiles } from '../../../dist/server/stores/s3/files.js'
import { startGarbageCollector } from '../../../dist/server/stores/s3/garbage-collector.js'
import { Objects } from '../../../dist/server/stores/s3/objects.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import type { StageStores } from '../../server/stores/stages-contract.js'
import { openTestBucket, type TestBucket } from './bucket.js'
import { type TestDatabase, testDatabase } from './database.js'
import { openNode, type TestNode } from './node.js'

export interface ObjectNode {
  node: TestNode
  objects: Objects
  collector: RepeatedWork
  stored: TestBucket
  errors: unknown[]
}

/** A server's part of the bucket. Its collector does nothing by itself. */
export async function openObjects(
  database: TestDatabase,
  { prefix, origin, poolUrl }: { prefix?: string; origin?: string; poolUrl?: string } = {},
): Promise<ObjectNode> {
  const node = await openNode(database, poolUrl ? { poolUrl } : {})
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

export interface BucketStores extends StageStores, ObjectNode {
  restart(): Promise<BucketStores>
  database: TestDatabase
  /** Where the files of the spool are. */
  scratch: string
}

export interface BucketStoresOptions {
  database?: TestDatabase
  prefix?: string
  origin?: string
  /** Of the database, for everything but the lease. */
  poolUrl?: string
  objectSize?: (offset: number) => number
  scratchBytes?: number
}

/** A server's stores of files. A restart is another server, after the first one has ended. */
export async function openBucketStores(options: BucketStoresOptions = {}): Promise<BucketStores> {
  const database = options.database ?? (await testDatabase())
  const opened = await openObjects(database, options)
  const { node, stored, objects } = opened
  const { objectSize, scratchBytes } = options
  const scratch = await temporaryFolder()
  const digests = new ContentDigests()
  const stores = openBucketFiles(node.sql, {
    bucket: objects.bucket,
    lease: node.lease,
    scratch,
    digests,
    ...(objectSize ? { objectSize } : {}),
    ...(scratchBytes ? { scratchBytes } : {}),
  })
  onTestFinished(async () => {
    await stores.close()
    await digests.close()
  })
  return {
    ...opened,
    ...stores,
    database,
    scratch,
    async restart() {
      await node.close()
      return openBucketStores({ ...options, database, prefix: stored.prefix })
    },
  }
}
