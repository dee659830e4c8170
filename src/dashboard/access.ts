import type { Role } from '../protocol/roles.js'
import type { RouteEntry, RouteKey } from '../server/routing/route-entry.js'
import { routeTable } from '../server/routing/route-table.js'

const routes: Readonly<Record<RouteKey, RouteEntry>> = routeTable

/** Whether the server admits the role to the route, so that the page offers nothing that would be refused. */
export function mayUse(role: Role, route: keyof typeof routeTable): boolean {
  const { access } = routes[route]!
  return typeof access === 'string' || access.includes(role)
}

/** Whether the role sees the jobs of every account. */
export function seesEveryJob(role: Role | undefined): boolean {
  return role !== undefined && (routes['GET /jobs']?.everyAccount ?? []).includes(role)
}
