import type { FileStores } from '../file-stores.js'
import type { Database } from '../postgres/database.js'
import type { NodeLease } from '../postgres/node-lease.js'
import type { Bucket } from './bucket.js'
import { BucketFolders } from './folders.js'
import { Objects } from './objects.js'
import { BucketPartials, type BucketPartialsOptions } from './partials.js'
import { BucketPublishedFiles } from './published-files.js'
import { BucketSmallFiles } from './small-files.js'
import { BucketStages } from './stages.js'

export interface BucketFilesOptions
  extends Pick<BucketPartialsOptions, 'scratch' | 'scratchBytes' | 'digests' | 'objectSize'> {
  bucket: Bucket
  lease: Pick<NodeLease, 'id'>
}

/** The stores of files of a server, as rows in a database and objects in a bucket. */
export function openBucketFiles(
  database: Database,
  { bucket, lease, ...options }: BucketFilesOptions,
): FileStores & { close(): Promise<void> } {
  const objects = new Objects(database, { bucket, lease })
  const stages = new BucketStages(database, { objects, lease })
  const partials = new BucketPartials(database, { objects, lease, stages, ...options })
  return {
    files: new BucketPublishedFiles(database, objects),
    folders: new BucketFolders(database),
    partials,
    smallFiles: new BucketSmallFiles(database, objects),
    stages,
    close: () => partials.close(),
  }
}
