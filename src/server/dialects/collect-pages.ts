import type { HttpBindings } from '@hono/node-server'
import type { ServerConfig } from '../config.js'
import { baseUrl } from '../routing/base-url.js'
import { fieldProblem } from './collect-errors.js'

export interface Page {
  limit: number
  offset: number
}

/** Lists as `{count, next, previous, results}`, where next and previous are absolute URLs or null. */
export interface Paginated<T> {
  count: number
  next: string | null
  previous: string | null
  results: T[]
}

/** Parses `?limit=&offset=`. Throws a `fieldProblem`. */
export function pageOf(query: Record<string, string>, limits: { usual: number; most: number }): Page {
  const limit = wholeNumber(query, 'limit', 1) ?? limits.usual
  return { limit: Math.min(limit, limits.most), offset: wholeNumber(query, 'offset', 0) ?? 0 }
}

export function paginated<T>(
  { incoming }: HttpBindings,
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>,
  { limit, offset }: Page,
  { count, results }: { count: number; results: T[] },
): Paginated<T> {
  const linkTo = (start: number) => {
    const url = new URL(`${baseUrl(incoming, config)}${incoming.url ?? ''}`)
    url.searchParams.set('limit', String(limit))
    url.searchParams.set('offset', String(start))
    return url.href
  }
  return {
    count,
    next: offset + limit < count ? linkTo(offset + limit) : null,
    previous: offset > 0 ? linkTo(Math.max(0, offset - limit)) : null,
    results,
  }
}

function wholeNumber(query: Record<string, string>, name: string, least: number): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text)
  throw fieldProblem({ [name]: [`"${text}" is not a whole number of at least ${least}.`] })
}
