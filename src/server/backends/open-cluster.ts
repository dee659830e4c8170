import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import type { ClusterConfig } from '../config.js'
import { connectDatabase, type Database } from '../stores/postgres/database.js'
import { checkSchema, migrateDatabase } from '../stores/postgres/schema.js'
import { checkDatabase } from '../stores/postgres/start-checks.js'
import { Bucket } from '../stores/s3/bucket.js'
import { parseBucketAddress } from '../stores/s3/bucket-address.js'
import { findCredentials } from '../stores/s3/credentials.js'
import { checkBucket } from '../stores/s3/start-check.js'

/** Connects to the database of servers, and brings its schema up to date. Throws `storage-unavailable`, with the reason in words. */
export function openClusterDatabase(url: string, clock: Clock): Promise<Database> {
  return connect(url, async (database) => {
    await checkDatabase(database, clock)
    await migrateDatabase(database)
  })
}

/** Connects to a database that has the schema of this program. Throws like `openClusterDatabase`. */
export function openCurrentDatabase(url: string): Promise<Database> {
  return connect(url, checkSchema)
}

async function connect(url: string, check: (database: Database) => Promise<void>): Promise<Database> {
  const database = connectDatabase({ url })
  try {
    await check(database)
    return database
  } catch (error) {
    await database.end({ timeout: 0 })
    if (error instanceof Problem) throw error
    const reason = error instanceof Error ? error.message || error.name : String(error)
    throw new Problem(
      'storage-unavailable',
      `The database of --database cannot be used: ${reason}.`,
      {},
      { cause: error },
    )
  }
}

/** Checks the bucket, and returns a client that retries for a while. Throws with the reason in words. */
export async function openClusterBucket({ bucket: url, variables }: ClusterConfig, clock: Clock): Promise<Bucket> {
  const options = await readBucketOptions(url, variables)
  // Once: servers that start at the same time may get in each other's way.
  const impatient = new Bucket({ ...options, clock, retryMs: 1500 })
  try {
    await checkBucket(impatient)
  } finally {
    impatient.close()
  }
  return new Bucket({ ...options, clock })
}

async function readBucketOptions(url: string, variables: ClusterConfig['variables']) {
  try {
    return { address: parseBucketAddress(url), credentials: await findCredentials(variables) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Problem('invalid-request', `--bucket: ${reason}`, { field: '--bucket' }, { cause: error })
  }
}
