import { formatHex } from '../protocol/digest-fields.js'
import { findNodeModule } from './node-modules.js'

/** The SHA-256 of some bytes; undefined in pages without https, where browsers compute none. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
  const { subtle } = crypto as Partial<typeof crypto>
  return subtle && new Uint8Array(await subtle.digest('SHA-256', bytes))
}

/** Computes the SHA-256 of a stream. */
export interface StreamDigest {
  update(chunk: Uint8Array): void
  /** In hexadecimal. */
  digest(): string
}

/** Undefined in browsers, which digest whole bytes only. */
export function openDigest(): StreamDigest | undefined {
  const hash = findNodeModule('node:crypto')?.createHash('sha256')
  return hash && { update: (chunk) => void hash.update(chunk), digest: () => formatHex(hash.digest()) }
}
