import { Problem } from '../../protocol/problems.js'
import { digestMismatch } from '../stores/digest-mismatch.js'
import type { DeclaredDigests, DigestAlgorithm } from '../stores/files.js'
import type { PartialFile } from '../stores/partials.js'
import type { ResumeState } from './resume-state.js'

/** Resolves with the SHA-256. Throws `digest-mismatch` if another digest was declared. */
export async function checkDigests(partial: PartialFile, declared: DeclaredDigests[]): Promise<string> {
  const names = new Set(['sha256', ...declared.flatMap((digests) => Object.keys(digests))]) as Set<DigestAlgorithm>
  const computed = new Map(
    await Promise.all([...names].map(async (name) => [name, await partial.digest(name)] as const)),
  )
  for (const digests of declared) compareDigests(digests, (name) => computed.get(name)!)
  return computed.get('sha256')!
}

/** Throws for the first declared digest that is not the computed one. */
export function compareDigests<Algorithm extends string>(
  declared: { readonly [algorithm in Algorithm]?: string },
  compute: (algorithm: Algorithm) => string,
  mismatch: (algorithm: Algorithm, declared: string, computed: string) => Problem = digestMismatch,
): void {
  for (const [algorithm, digest] of Object.entries(declared) as [Algorithm, string | undefined][]) {
    if (digest === undefined) continue
    const computed = compute(algorithm)
    if (computed !== digest) throw mismatch(algorithm, digest, computed)
  }
}

/** True if a file has the declared SHA-256, and no other declared digest requires reading its bytes. */
export function isKnownBy({ sha256, sha512 }: DeclaredDigests, known: string | null): boolean {
  return sha256 !== undefined && sha256 === known && sha512 === undefined
}

/** Throws `invalid-request` if other digests were declared before. */
export function checkNotContradicted({ sha256, sha512 }: DeclaredDigests, resumeState: ResumeState): void {
  const differs = (given: string | undefined, before: string | null) =>
    given !== undefined && before !== null && given !== before
  if (differs(sha256, resumeState.sha256) || differs(sha512, resumeState.sha512)) {
    const field = 'Repr-Digest'
    throw new Problem('invalid-request', `${field}: another digest was declared before.`, { field })
  }
}
