import { describe } from 'vitest'
import { publishedFilesContract } from '../server/stores/published-files-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { hasDatabase } from './helpers/database.js'
import { openBucketStores } from './helpers/files.js'

describe.skipIf(!hasDatabase || !hasBucket)('published files in a bucket', () => {
  publishedFilesContract(() => openBucketStores())
})
