import { openClusterBucket, openCurrentDatabase } from './backends/open-cluster.js'
import { systemClock } from './clock.js'
import { Closers } from './closers.js'
import type { ClusterConfig } from './config.js'
import { checkStored, type StoredIntegrity, type StoredIntegrityOptions } from './stores/s3/stored-integrity.js'

/** What does not match between the database and the bucket that servers share. */
export interface ClusterReport extends StoredIntegrity {
  /** Whether old orphans were left to the servers to remove. */
  fixed: boolean
}

/** Compares the database with the bucket, also while servers run. Throws `storage-unavailable` if one of them cannot be used. */
export async function examineCluster(cluster: ClusterConfig, options: StoredIntegrityOptions): Promise<ClusterReport> {
  const closers = new Closers()
  try {
    const database = await openCurrentDatabase(cluster.database)
    closers.add(() => database.end({ timeout: 1 }))
    const bucket = await openClusterBucket(cluster, systemClock)
    closers.add(async () => bucket.close())
    return { ...(await checkStored(database, bucket, options)), fixed: options.fix }
  } finally {
    await closers.closeAll()
  }
}
