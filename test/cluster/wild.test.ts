import { describe, expect, it } from 'vitest'
import { hasCluster } from './helpers/servers.js'
import { checkWildCluster } from './helpers/wild-cluster.js'

describe.skipIf(!hasCluster)('servers that are killed and suspended', () => {
  it('lose nothing that was acknowledged, and leave nothing', async () => {
    const { answered, stopped } = await checkWildCluster({ clients: 6, faults: 4 })
    expect(answered).toBeGreaterThan(50)
    expect(stopped).toBeGreaterThan(0)
  }, 300_000)
})
