import { describe } from 'vitest'
import { foldersContract } from '../server/stores/folders-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { hasDatabase } from './helpers/database.js'
import { openBucketStores } from './helpers/files.js'

describe.skipIf(!hasDatabase || !hasBucket)('folders in a bucket', () => {
  foldersContract(() => openBucketStores())
})
