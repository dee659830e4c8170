import type { Writable } from 'node:stream'
import { unlessAborted } from '../concurrency/abortable.js'
import type { Flow } from '../transfers/flow.js'

/** In steps, so that a rate-limited export runs evenly. */
export async function sendBatch(batch: Uint8Array, response: Writable, flow: Flow): Promise<void> {
  for (let at = 0; at < batch.length; ) {
    const end = Math.min(batch.length, at + Math.max(1, Math.floor(Math.min(flow.step, longestStep))))
    await flow.pass(end - at)
    await unlessAborted(write(response, batch.subarray(at, end)), flow.signal)
    // Reading the next batch takes the engine a while, which must not count as a stall of the client.
    flow.touch()
    at = end
  }
}

const longestStep = 1024 ** 2

function write(sink: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}
