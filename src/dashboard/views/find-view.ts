import type { Features } from '../../protocol/features.js'
import type { Role } from '../../protocol/roles.js'
import { mayUse } from '../access.js'
import type { Address } from '../router.js'
import type { At, View } from './view.js'

/** The views that are offered to the role by a server with these features. */
export function offeredViews(views: readonly View[], role: Role, features: Features | null): View[] {
  return views.filter(({ route, feature }) => mayUse(role, route) && (!feature || features?.[feature] !== false))
}

/** The view at an address, and what the address says; undefined if there is none. */
export function findView(
  views: readonly View[],
  { path, query }: Pick<Address, 'path' | 'query'>,
): { view: View; at: At } | undefined {
  for (const view of views) {
    const parameters = match(view.pattern, path)
    if (parameters) return { view, at: { parameters, query } }
  }
  return undefined
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const expression = pattern
    .replace(/\/\*$/, '(?:/(?<rest>.*))?')
    .replace(/\/:(\w+)\?/g, '(?:/(?<$1>[^/]+))?')
    .replace(/\/:(\w+)/g, '/(?<$1>[^/]+)')
  const found = new RegExp(`^${expression}/?$`).exec(path)
  if (!found) return undefined
  const named = Object.entries(found.groups ?? {}).map(([name, text = '']) => [name, decode(text)])
  return Object.fromEntries(named) as Record<string, string>
}

/** Empty if it is not percent-encoded UTF-8. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
