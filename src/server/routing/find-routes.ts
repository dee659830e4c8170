import { type Method, methods, type RouteEntry, type RouteKey } from './route-entry.js'

/** The routes of one path. */
export type RoutesAtPath = ReadonlyMap<Method, RouteEntry>

/**
 * Returns a function that finds the routes of a path in Hono's form: decoded, without a trailing slash. A literal path
 * wins over one with parameters; among those the first in the table wins.
 */
export function routeFinder(table: Readonly<Record<RouteKey, RouteEntry>>): (path: string) => RoutesAtPath | undefined {
  const fixed = new Map<string, Map<Method, RouteEntry>>()
  const patterns: { path: RegExp; method: Method; entry: RouteEntry }[] = []
  for (const [key, entry] of Object.entries(table)) {
    const { method, path } = parseRoute(key as RouteKey)
    if (path.includes('{')) patterns.push({ path: patternOf(path), method, entry })
    else fixed.set(path, (fixed.get(path) ?? new Map<Method, RouteEntry>()).set(method, entry))
  }
  return (path) => {
    const matching = patterns.filter((pattern) => pattern.path.test(path)).reverse()
    const found = fixed.get(path) ?? new Map(matching.map(({ method, entry }) => [method, entry]))
    return found.size === 0 ? undefined : found
  }
}

/** The value of `Allow`: HEAD with GET, and OPTIONS everywhere. */
export function allowedMethods(routes: RoutesAtPath): string {
  const allowed = methods.filter((method) => routes.has(method) || (method === 'HEAD' && routes.has('GET')))
  return [...allowed, 'OPTIONS'].join(', ')
}

export function parseRoute(key: RouteKey): { method: Method; path: string } {
  const [method, path] = key.split(' ') as [Method, string]
  return { method, path }
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/\/$/, '').replace(/[.+*]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/\{(?:name|folder)\}/, '.*').replace(/\{\w+\}/g, '[^/]+')}$`, 's')
}
