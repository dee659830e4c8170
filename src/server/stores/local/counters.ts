import { join } from 'node:path'
import { z } from 'zod'
import type { Counters } from '../counters.js'
import { openJsonFile } from './json-file.js'

export interface LocalCounters extends Counters {
  /** Makes the next number greater than `last`: if counters.json was lost, the records still have it. */
  raise(name: string, last: number): void
  /** The last number of each. */
  all(): Readonly<Record<string, number>>
  close(): Promise<void>
}

export async function openCounters(dataFolder: string): Promise<LocalCounters> {
  const file = await openJsonFile(join(dataFolder, 'counters.json'), countersSchema, {})
  const raise = (name: string, last: number) => {
    file.data[name] = Math.max(file.data[name] ?? 0, last)
  }
  return {
    raise,
    all: () => file.data,
    async next(name) {
      const number = (file.data[name] ?? 0) + 1
      // Incremented before the write: a failed write skips the number, and two callers never get the same.
      raise(name, number)
      await file.save()
      return number
    },
    close: () => file.close(),
  }
}

const countersSchema = z.record(z.string(), z.int().nonnegative())
