import { describe, expect, it } from 'vitest'
import { BufferPool, BufferSize } from '../../../dist/server/transfers/buffers.js'
import { TestClock } from '../../helpers/test-clock.js'

const kibibyte = 1024

/** The size after `fills`, each of which took so many milliseconds. */
function sizeAfter(fills: readonly number[]): number {
  const clock = new TestClock()
  const size = new BufferSize(clock)
  for (const ms of fills) {
    clock.skip(ms)
    size.adapt()
  }
  return size.bytes
}

describe('the size of a buffer', () => {
  it('grows to a megabyte while the stream fills it quickly', () => {
    expect(sizeAfter([])).toBe(16 * kibibyte)
    expect(sizeAfter([10])).toBe(32 * kibibyte)
    expect(sizeAfter(Array(10).fill(10))).toBe(1024 * kibibyte)
  })

  it('shrinks to its minimum when the stream is slow', () => {
    expect(sizeAfter([10, 10, 2000])).toBe(32 * kibibyte)
    expect(sizeAfter([10, 2000, 2000, 2000])).toBe(16 * kibibyte)
  })

  it('stays as large on a busy machine, which is late for all streams', () => {
    expect(sizeAfter([10, 10, 10, 500, 500, 500])).toBe(128 * kibibyte)
  })
})

describe('the pool of buffers', () => {
  it('lends a returned buffer of any size again', () => {
    const pool = new BufferPool()
    for (const size of [16, 128, 1024]) {
      const buffer = pool.take(size * kibibyte)
      pool.give(buffer)
      expect(pool.take(size * kibibyte)).toBe(buffer)
    }
  })

  it('lends smaller ones the more are lent, down to a minimum', () => {
    const pool = new BufferPool()
    const sizes = Array.from({ length: 2000 }, () => pool.take(1024 * kibibyte).length)
    expect(sizes[0]).toBe(1024 * kibibyte)
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
    expect(sizes.at(-1)).toBe(16 * kibibyte)
  })

  it('keeps no more returned buffers than its budget', () => {
    const pool = new BufferPool()
    const lent = Array.from({ length: 4000 }, () => pool.take(16 * kibibyte))
    for (const buffer of lent) pool.give(buffer)
    const again = new Set(Array.from({ length: 4000 }, () => pool.take(16 * kibibyte)))
    const kept = lent.filter((buffer) => again.has(buffer)).length
    expect(kept).toBeGreaterThan(1000)
    expect(kept * 16).toBeLessThanOrEqual(48 * 1024)
  })

  it('lends memory that threads share, if wanted, except for large buffers', () => {
    const isShared = (pool: BufferPool, size: number) => pool.take(size * kibibyte).buffer instanceof SharedArrayBuffer
    expect([16, 256, 512].map((size) => isShared(new BufferPool({ isShared: true }), size))).toEqual([
      true,
      true,
      false,
    ])
    expect(isShared(new BufferPool(), 16)).toBe(false)
  })
})
