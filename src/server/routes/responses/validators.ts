import { createHash } from 'node:crypto'
import type { Validators } from '../../stores/precondition.js'

/** The headers that identify a version, so that clients ask whether it has changed instead of using a stale copy. */
export function validatorHeaders({ entityTag, lastModified }: Required<Validators>): Record<string, string> {
  return {
    ETag: entityTag,
    'Last-Modified': new Date(lastModified).toUTCString(),
    'Cache-Control': 'private, no-cache',
  }
}

/** A strong entity tag of this content, including quotes. */
export function entityTagOf(content: Buffer | string): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
}
