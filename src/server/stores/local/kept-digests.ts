import { hash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { endianness } from 'node:os'
import type { KnownDigests } from './known-digests.js'

/**
 * Writes what is known to a file, so that the first lists after a restart read no metadata. It is a cache: a file that is
 * missing or damaged costs time only, and so does one that cannot be written. Synchronous, for a worker thread.
 */
export function keepDigests(path: string, known: KnownDigests): void {
  const { types, stamps, digests, about } = known.files
  const head = Buffer.from(`${JSON.stringify({ format, count: about.length, types })}\n`)
  const body = Buffer.concat([head, bytesOf(stamps), digests, bytesOf(about)])
  const temporary = `${path}.new`
  try {
    writeFileSync(temporary, hash('sha256', body, 'buffer'), { mode: 0o600 })
    writeFileSync(temporary, body, { flag: 'a' })
    renameSync(temporary, path)
  } catch {
    rmSync(temporary, { force: true })
  }
}

/** Reads what `keepDigests` wrote. The digest of the file itself tells a damaged one. */
export function recallDigests(path: string, known: KnownDigests): void {
  const file = contentOf(path)
  const body = file?.subarray(digestBytes)
  if (!file || !body || !hash('sha256', body, 'buffer').equals(file.subarray(0, digestBytes))) return
  const end = body.indexOf('\n')
  const head = JSON.parse(body.toString('utf8', 0, end)) as { format: string; count: number; types: string[] }
  if (head.format !== format) return
  const { count, types } = head
  const [stamps, about] = [new Float64Array(count * 4), new Uint32Array(count)]
  const [digestsAt, aboutAt] = [end + 1 + stamps.byteLength, end + 1 + stamps.byteLength + count * digestBytes]
  bytesOf(stamps).set(body.subarray(end + 1, digestsAt))
  bytesOf(about).set(body.subarray(aboutAt))
  known.replace({ types, stamps, digests: body.subarray(digestsAt, aboutAt), about })
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

const digestBytes = 32
const format = `known digests 1 ${endianness()}`
