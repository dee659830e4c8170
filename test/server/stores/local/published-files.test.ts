import { describe } from 'vitest'
import { publishedFilesContract } from '../published-files-contract.js'
import { openStores } from './open-stores.js'

describe('the local files', () => {
  publishedFilesContract(openStores)
})
