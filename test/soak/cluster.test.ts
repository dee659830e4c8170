import { describe, expect, it } from 'vitest'
import { hasCluster } from '../cluster/helpers/servers.js'
import { checkWildCluster } from '../cluster/helpers/wild-cluster.js'

describe.skipIf(!hasCluster)('three servers and 20 clients', () => {
  it(
    'lose nothing that was acknowledged in 200 faults, and leave nothing',
    async () => {
      expect((await checkWildCluster({ clients: 20, faults: 200 })).stopped).toBeGreaterThan(100)
    },
    60 * 60_000,
  )
})
