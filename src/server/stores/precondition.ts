import { Problem } from '../../protocol/problems.js'
import type { Precondition, StoredFile } from './files.js'

/** Compares what is there with what a request says of it (RFC 9110, section 13.1). Throws `precondition-failed`. */
export function checkPrecondition(file: StoredFile | undefined, precondition: Precondition | undefined): void {
  const { ifMatch, ifNoneMatch } = precondition ?? {}
  if (ifNoneMatch && file) {
    throw new Problem('precondition-failed', `"${file.name}" exists already.`, { name: file.name })
  }
  if (ifMatch && !(file && (ifMatch === '*' || ifMatch.includes(file.entityTag)))) {
    throw new Problem('precondition-failed', 'The file is not the one that If-Match names: it has changed, or is gone.')
  }
}
