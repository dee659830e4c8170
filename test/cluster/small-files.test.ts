import { describe } from 'vitest'
import { smallFilesContract } from '../server/stores/small-files-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { hasDatabase } from './helpers/database.js'
import { openBucketStores } from './helpers/files.js'

describe.skipIf(!hasDatabase || !hasBucket)('small files in a bucket', () => {
  smallFilesContract(() => openBucketStores())
})
