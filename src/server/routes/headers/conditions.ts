import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Problem } from '../../../protocol/problems.js'
import {
  type Conditions,
  evaluateConditions,
  inSeconds,
  matchesStrongly,
  type Precondition,
  preconditionFailed,
  type Validators,
} from '../../stores/precondition.js'
import { parseHttpDate } from './http-date.js'

/**
 * Evaluates the conditions of a request (RFC 9110 section 13). Returns true for 304, which only GET and HEAD have.
 * Throws `precondition-failed`.
 */
export function isNotModified(incoming: IncomingMessage, current: Validators): boolean {
  const failed = evaluateConditions(conditionsOf(incoming), current)
  if (failed === null) return false
  if (isRead(incoming) && (failed === 'If-None-Match' || failed === 'If-Modified-Since')) return true
  throw preconditionFailed(failed)
}

/** The conditions of a request that changes something. Throws `invalid-request`. */
export function preconditionOf(incoming: IncomingMessage): Precondition {
  const { ifNoneMatch, ...rest } = conditionsOf(incoming)
  if (ifNoneMatch?.length === 0) {
    const field = 'If-None-Match'
    throw new Problem('invalid-request', `${field}: use "*" or entity tags in double quotes.`, { field })
  }
  return ifNoneMatch === undefined ? rest : { ...rest, ifNoneMatch }
}

/**
 * Whether `If-Range` allows a range (RFC 9110 section 13.1.5): it must be the same strong entity tag, or the exact
 * date, which is weak if the file has changed, or could still change, within that second (section 8.8.2.2).
 */
export function ifRangeHolds(
  { 'if-range': header }: IncomingHttpHeaders,
  current: Validators & { isDateStrong?: boolean },
  now = Date.now(),
): boolean {
  if (typeof header !== 'string') return true
  const date = parseHttpDate(header)
  if (date === undefined) return matchesStrongly(header, current.entityTag)
  const { lastModified = now, isDateStrong = true } = current
  return isDateStrong && date === inSeconds(lastModified) && now - lastModified >= 1000
}

/** Only present conditions: absent ones have no member. */
function conditionsOf(incoming: IncomingMessage): Conditions {
  const { headers } = incoming
  const ifMatch = parseEntityTags(headers['if-match'])
  const ifNoneMatch = parseEntityTags(headers['if-none-match'])
  const ifUnmodifiedSince = dateOf(incoming, 'if-unmodified-since')
  const ifModifiedSince = isRead(incoming) ? dateOf(incoming, 'if-modified-since') : undefined
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifUnmodifiedSince === undefined ? {} : { ifUnmodifiedSince }),
    ...(ifModifiedSince === undefined ? {} : { ifModifiedSince }),
  }
}

function parseEntityTags(header: string | undefined): string[] | '*' | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return '*'
  return isList.test(header) ? (header.match(/(?:W\/)?"[^"]*"/g) ?? []) : []
}

/** Entity tags separated by commas, also empty members (RFC 9110 section 5.6.1). Other text matches no version. */
const isList = /^[ \t,]*(?:(?:W\/)?"[^"]*"[ \t]*(?:,[ \t,]*|$))*$/

/** RFC 9110 section 13.1.3: an invalid date, or a list of several, is ignored. */
function dateOf(incoming: IncomingMessage, name: string): number | undefined {
  const values = incoming.headersDistinct[name] ?? []
  return values.length === 1 ? parseHttpDate(values[0]!) : undefined
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}
