import { describe, expect, it } from 'vitest'
import { LocalSpace } from '../../../../dist/server/stores/local/space.js'
import { spaceContract } from '../space-contract.js'
import { ann } from '../stored-content.js'

describe('local space reservations', () => {
  spaceContract(async (limits, stored) => {
    return new LocalSpace(
      {
        usage: async ({ username }) => (username === ann.username ? stored.used : 0),
        freeBytes: async () => stored.free,
        freed: async () => {},
      },
      { maxFileSize: limits.maxFileSize, quotaOf: async () => limits.quota },
    )
  })

  it('wait for removed files to be freed before they fail for a full disk', async () => {
    let free = 10
    const space = new LocalSpace(
      {
        usage: async () => 0,
        freeBytes: async () => free,
        freed: async () => {
          free = 20
        },
      },
      { maxFileSize: null, quotaOf: async () => null },
    )
    await space.reserve(ann, 20, 0, () => 0)
    await expect(space.reserve(ann, 1, 0, () => 0)).rejects.toMatchObject({ code: 'disk-full' })
  })
})
