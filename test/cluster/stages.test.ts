import { describe } from 'vitest'
import { stagesContract } from '../server/stores/stages-contract.js'
import { hasBucket } from './helpers/bucket.js'
import { hasDatabase } from './helpers/database.js'
import { openBucketStores } from './helpers/files.js'

describe.skipIf(!hasDatabase || !hasBucket)('stages in a bucket', () => {
  stagesContract(() => openBucketStores())
})
