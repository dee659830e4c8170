import { describe, expect, it } from 'vitest'
import { Closers } from '../../dist/server/closers.js'

describe('a resource opened by the start', () => {
  it('is closed once, in reverse order, even if another one fails to close', async () => {
    const closers = new Closers()
    const closed: string[] = []
    const failure = new Error('the listener is broken')
    closers.add(async () => closed.push('lock'))
    expect(closers.opened({ name: 'store', close: async () => void closed.push('store') }).name).toBe('store')
    closers.add(() => Promise.reject(failure))
    expect(await closers.closeAll()).toEqual([failure])
    expect(closed).toEqual(['store', 'lock'])
    expect(await closers.closeAll()).toEqual([])
    expect(closed).toHaveLength(2)
  })
})
