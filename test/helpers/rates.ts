import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Caller } from './calls.js'

/** Bytes per second that the job moves, as the server counts them, over that many seconds from now. */
export async function rateOf(caller: Caller, jobId: string, seconds: number): Promise<number> {
  const before = await caller.job(jobId)
  const from = performance.now()
  await delay(seconds * 1000)
  const after = await caller.job(jobId)
  return (after.bytes - before.bytes) / ((performance.now() - from) / 1000)
}

/** A body that has always more, until it is destroyed. */
export function endless(): Readable {
  const chunk = Buffer.alloc(256 * 1024)
  return new Readable({
    highWaterMark: 1024 ** 2,
    read() {
      while (this.push(chunk));
    },
  })
}
