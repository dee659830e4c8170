import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/**
 * The SHA-256 of a file in hex, of whatever size, also on pages without https; null once `isWanted` says no. The page stays usable: it is
 * computed in slices of a few milliseconds. Throws if the file cannot be read.
 */
export async function digestOfBlob(file: Blob, isWanted: () => boolean): Promise<string | null> {
  const hash = sha256.create()
  const reader = file.stream().getReader()
  let sliceBegan = performance.now()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return bytesToHex(hash.digest())
    for (let at = 0; at < value.length; at += piece) {
      hash.update(value.subarray(at, at + piece))
      if (performance.now() - sliceBegan < sliceMs) continue
      await new Promise((resolve) => setTimeout(resolve))
      sliceBegan = performance.now()
    }
    if (isWanted()) continue
    await reader.cancel()
    return null
  }
}

const piece = 256 * 1024
const sliceMs = 8
