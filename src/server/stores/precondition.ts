import { Problem } from '../../protocol/problems.js'

/**
 * The conditions of a request on the version that it expects (RFC 9110 section 13.1). Entity tags are kept as sent,
 * including quotes.
 */
export interface Conditions {
  /** `*`, or tags one of which must match strongly. */
  ifMatch?: string[] | '*' | undefined
  /** `*`, or tags none of which may match, not even weakly. */
  ifNoneMatch?: string[] | '*' | undefined
  /** Milliseconds since 1970, like every date here. */
  ifUnmodifiedSince?: number | undefined
  ifModifiedSince?: number | undefined
}

/** The conditions of a change: `If-Modified-Since` applies to reading only. */
export type Precondition = Omit<Conditions, 'ifModifiedSince'>

/** What identifies the current version. */
export interface Validators {
  entityTag: string
  /** Undefined if no date is known: conditions by date are ignored then. */
  lastModified?: number
}

/** The condition that is false; null if none is. */
export type FailedCondition = 'If-Match' | 'If-Unmodified-Since' | 'If-None-Match' | 'If-Modified-Since' | null

/** Evaluates the conditions in the order of RFC 9110 section 13.2.2. `current` is undefined if there is no version. */
export function evaluateConditions(conditions: Conditions, current: Validators | undefined): FailedCondition {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = conditions
  const changedAt = current?.lastModified === undefined ? undefined : inSeconds(current.lastModified)
  if (ifMatch !== undefined) {
    if (!current || (ifMatch !== '*' && !ifMatch.some((tag) => matchesStrongly(tag, current.entityTag)))) {
      return 'If-Match'
    }
  } else if (ifUnmodifiedSince !== undefined && changedAt !== undefined && changedAt > ifUnmodifiedSince) {
    return 'If-Unmodified-Since'
  }
  if (ifNoneMatch !== undefined) {
    if (current && (ifNoneMatch === '*' || ifNoneMatch.some((tag) => matchesWeakly(tag, current.entityTag)))) {
      return 'If-None-Match'
    }
  } else if (ifModifiedSince !== undefined && changedAt !== undefined && changedAt <= ifModifiedSince) {
    return 'If-Modified-Since'
  }
  return null
}

/** Compares a version with the expectations of a change. Throws `precondition-failed`. */
export function checkPrecondition(
  current: (Validators & { name: string }) | undefined,
  precondition: Precondition | undefined,
): void {
  const failed = evaluateConditions(precondition ?? {}, current)
  if (failed === 'If-None-Match' && current && precondition?.ifNoneMatch === '*') {
    throw new Problem('precondition-failed', `"${current.name}" exists already.`, { name: current.name })
  }
  if (failed) throw preconditionFailed(failed)
}

export function preconditionFailed(condition: Exclude<FailedCondition, null>): Problem {
  return new Problem('precondition-failed', messages[condition])
}

const messages = {
  'If-Match': 'This is not the version that If-Match names: it has changed, or is gone.',
  'If-Unmodified-Since': 'There is a newer version than the date in If-Unmodified-Since.',
  'If-None-Match': 'This is the version that If-None-Match names.',
  'If-Modified-Since': 'There is no newer version than the date in If-Modified-Since.',
} as const

/** RFC 9110 section 8.8.3.2: equal, and neither of them weak. */
export function matchesStrongly(a: string, b: string): boolean {
  return a === b && !a.startsWith('W/')
}

function matchesWeakly(a: string, b: string): boolean {
  return a.replace(/^W\//, '') === b.replace(/^W\//, '')
}

/** An HTTP-date has no fractions: both sides are compared in whole seconds. */
export function inSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000
}
