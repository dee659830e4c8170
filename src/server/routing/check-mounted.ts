import { parseRoute } from './find-routes.js'
import type { RouteEntry, RouteKey } from './route-entry.js'

interface Mounted {
  method: string
  path: string
}

/**
 * Throws if a mounted route has no entry, so that none is served without rules, and if an entry has no route.
 * Middleware is mounted for all methods, and so are routes whose method a header may replace.
 */
export function checkMounted(mounted: readonly Mounted[], table: Readonly<Record<RouteKey, RouteEntry>>): void {
  const entries = Object.keys(table).map((key) => parseRoute(key as RouteKey))
  const declared = new Set(entries.map(({ method, path }) => `${method} ${mountPath(path)}`))
  const found = new Set(mounted.map(({ method, path }) => `${method} ${path}`))
  const undeclared = [...found].filter((route) => !route.startsWith('ALL ') && !declared.has(route))
  if (undeclared.length > 0) {
    throw new Error(`Add to src/server/routing/route-table.ts what holds for ${undeclared.join(', ')}.`)
  }
  const missing = entries.filter(({ method, path }) => {
    const served = method === 'HEAD' ? ['HEAD', 'GET', 'ALL'] : [method, 'ALL']
    return !served.some((served) => found.has(`${served} ${mountPath(path)}`))
  })
  if (missing.length > 0) {
    throw new Error(`Nothing serves ${missing.map(({ method, path }) => `${method} ${path}`).join(', ')}.`)
  }
}

/** A path in Hono's notation: names contain slashes, so a parameter for a name or folder is a wildcard. */
function mountPath(path: string): string {
  return path.replace(/\{(?:name|folder)\}.*$/, '*').replace(/\{(\w+)\}/g, ':$1')
}
