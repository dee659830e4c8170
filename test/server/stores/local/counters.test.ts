import { describe, expect, it, onTestFinished } from 'vitest'
import { openCounters } from '../../../../dist/server/stores/local/counters.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { countersContract, type OpenedCounters } from '../counters-contract.js'

describe('the counters of counters.json', () => {
  countersContract(async () => open(await temporaryFolder()))

  it('continue above the numbers in the records if the file is lost', async () => {
    const counters = await openCounters(await temporaryFolder())
    onTestFinished(() => counters.close())
    counters.raise('account', 7)
    counters.raise('account', 3)
    expect(await counters.next('account')).toBe(8)
  })
})

async function open(folder: string): Promise<OpenedCounters> {
  const counters = await openCounters(folder)
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= counters.close()
    return closed
  }
  onTestFinished(close)
  return {
    counters,
    async restart() {
      await close()
      return open(folder)
    },
  }
}
