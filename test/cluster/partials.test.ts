import { describe } from 'vitest'
import { partialsContract } from '../server/stores/partials-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { hasDatabase } from './helpers/database.js'
import { openBucketStores } from './helpers/files.js'

describe.skipIf(!hasDatabase || !hasBucket)('partials in a bucket', () => {
  partialsContract(() => openBucketStores())
})
