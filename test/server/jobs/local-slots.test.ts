import { describe } from 'vitest'
import { systemClock } from '../../../dist/server/clock.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import { slotsContract } from './slots-contract.js'

describe('slots in memory', () => {
  slotsContract(async ({ slotsPerAccount, lastSeq, usedIds }) => {
    const history = { has: async (id: string) => usedIds.has(id) }
    return new LocalSlots({ history, lastSeq, jobsPerAccount: slotsPerAccount, clock: systemClock })
  })
})
