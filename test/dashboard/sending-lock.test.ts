import { afterEach, describe, it, vi } from 'vitest'
import { announceSending, untilUnlocked } from '../../src/dashboard/uploads/sending-lock.js'

describe('without navigator.locks, waiting for an upload sent by another tab', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('ends when its signal is aborted', async () => {
    const { release } = openTab()
    const leaving = new AbortController()
    const waiting = untilUnlocked('1', leaving.signal)
    leaving.abort()
    await waiting
    release()
  })

  it('does not start with an aborted signal', async () => {
    const { release } = openTab()
    await untilUnlocked('1', AbortSignal.abort())
    release()
  })

  it('ends when the other tab has finished', async () => {
    const { release } = openTab()
    const waiting = untilUnlocked('1', new AbortController().signal)
    release()
    await waiting
  })
})

/** A tab that sends upload 1. */
function openTab() {
  vi.stubGlobal('navigator', {})
  vi.stubGlobal('addEventListener', () => {})
  vi.stubGlobal('removeEventListener', () => {})
  return { release: announceSending('1') }
}
