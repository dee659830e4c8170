import { describe, expect, it } from 'vitest'
import { RateMeter } from '../../dist/cli/rate-meter.js'

const MiB = 1024 ** 2

/** The readings of a meter every 100 ms, for a transfer with `bytesAt(ms)`, until `endMs`. */
function watch(bytesAt: (ms: number) => number, endMs: number) {
  const meter = new RateMeter(bytesAt(0), 0)
  const samples: { ms: number; rate: number | undefined }[] = []
  for (let ms = 100; ms <= endMs; ms += 100) samples.push({ ms, rate: meter.measure(bytesAt(ms), ms) })
  return samples
}

/** As the system takes it: `burst` at once, and then in steps of so many bytes, at `rate` in all. */
function inSteps(burst: number, step: number, rate: number) {
  return (ms: number) => (ms === 0 ? 0 : burst + Math.floor((ms * rate) / 1000 / step) * step)
}

describe('the measured rate of a transfer', () => {
  it.each([
    ['in small steps', 64 * 1024],
    ['in steps of what a buffer holds', 3 * MiB],
  ])('is accurate two seconds after the start %s, whatever the buffers accepted at first', (_, step) => {
    const samples = watch(inSteps(4 * MiB, step, 5 * MiB), 20_000)
    const rates = samples.map(({ rate }) => rate).filter((rate) => rate !== undefined)
    expect(Math.max(...rates) / MiB).toBeLessThan(6)
    expect(Math.min(...rates) / MiB).toBeGreaterThan(4)
    expect(samples.filter(({ ms, rate }) => ms >= 2000 && rate === undefined)).toEqual([])
  })

  it('is undefined until there are enough samples', () => {
    const samples = watch(inSteps(4 * MiB, MiB, 5 * MiB), 3000)
    expect(samples.filter(({ ms, rate }) => ms <= 1000 && rate !== undefined)).toEqual([])
    // Two steps are too few, but for one that took long.
    const slow = watch(inSteps(4 * MiB, 3 * MiB, MiB), 8000)
    expect(slow.find(({ rate }) => rate !== undefined)?.ms).toBe(6000)
  })

  it('is accurate also if the steps are irregular and rare', () => {
    // An upload at 1 MiB/s as it was measured.
    const steps = [
      [100, 4],
      [1300, 7],
      [2900, 8],
      [6500, 11],
      [7600, 12],
      [10600, 15],
      [12000, 16],
      [15100, 19],
    ] as const
    const samples = watch((ms) => (steps.findLast(([atMs]) => atMs <= ms)?.[1] ?? 0) * MiB, 15_000)
    const rates = samples.map(({ rate }) => rate).filter((rate) => rate !== undefined)
    expect(rates.length).toBeGreaterThan(80)
    expect(Math.max(...rates) / MiB).toBeLessThan(1.25)
    expect(Math.min(...rates) / MiB).toBeGreaterThan(0.75)
  })

  it.each([6, 60])('is steady if a step takes %d s', (seconds) => {
    const rate = MiB / seconds
    const samples = watch(inSteps(4 * MiB, MiB, rate), 400_000).filter(({ ms }) => ms > 2500 * seconds)
    expect(samples.map((each) => (each.rate ?? 0) / rate).every((ratio) => Math.abs(ratio - 1) < 0.05)).toBe(true)
  })

  it('follows a change within seconds', () => {
    const samples = watch((ms) => (ms < 10_000 ? ms * 1000 : 10_000_000 + (ms - 10_000) * 5000), 15_000)
    expect(samples.find(({ ms }) => ms === 9_900)?.rate).toBeCloseTo(1_000_000)
    expect(samples.at(-1)?.rate).toBeCloseTo(5_000_000)
  })

  it('drops to 0 when no bytes are transferred, and starts from scratch afterwards', () => {
    const samples = watch((ms) => Math.min(ms, 5_000) * 1000 + Math.max(ms - 30_000, 0) * 1000, 33_000)
    const rateAt = (at: number) => samples.find(({ ms }) => ms === at)?.rate
    expect(rateAt(5_000)).toBeCloseTo(1_000_000)
    expect(rateAt(9_000)).toBeLessThan(550_000)
    expect([rateAt(16_000), rateAt(30_000), rateAt(30_500)]).toEqual([0, 0, undefined])
    expect(rateAt(32_000)).toBeCloseTo(1_000_000)
  })

  it('excludes the bytes transferred before its first sample', () => {
    expect(watch((ms) => 900 * MiB + ms * 1000, 3000).at(-1)?.rate).toBeCloseTo(1_000_000)
  })
})
