import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { tokenOf } from '../auth/guard.js'
import type { AppEnv } from './app-env.js'
import type { RouteEntry } from './route-entry.js'
import { isSafe } from './safe-method.js'
import { pathOf } from './target-check.js'
import { addVary } from './vary.js'

/**
 * Whether the dashboard is answered instead of the route: a browser opens the address of a folder, a job or a table. Programs get
 * what they always get, and a file's own address gives the file. Adds to `Vary` what the choice depends on.
 */
export function opensPage(c: Context<AppEnv>, { page }: RouteEntry): boolean {
  const { incoming } = c.env
  if (!page || !isSafe(incoming)) return false
  if (page === 'folder' && !isFolder(incoming.url ?? '')) return false
  for (const header of dependsOn) addVary(c, header)
  return tokenOf((name) => c.req.header(name)) === undefined && isNavigation(incoming)
}

const dependsOn = ['Authorization', 'Auth_Token', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'Accept']

/** The address of a folder ends with a slash. With `archive`, it is a file. */
function isFolder(target: string): boolean {
  return pathOf(target).endsWith('/') && !/\?(?:.*&)?archive=/s.test(target)
}

/**
 * Whether a browser loads the address into a window or tab. It says so by https://www.w3.org/TR/fetch-metadata/, except over plain HTTP
 * to other hosts: there it is known by preferring HTML.
 */
function isNavigation({ headers }: IncomingMessage): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination, accept } = headers
  if (mode !== undefined || destination !== undefined) return mode === 'navigate' && destination === 'document'
  return prefersHtml(accept ?? '')
}

/** RFC 9110 section 12.5.1: of the types that are listed, HTML has the highest weight, or is the first of those that have it. */
function prefersHtml(accept: string): boolean {
  const types = accept.split(',').map((entry) => {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    return { type, weight: weight === undefined ? 1 : Number(weight) || 0 }
  })
  const [preferred] = types.toSorted((one, other) => other.weight - one.weight)
  return preferred?.type === 'text/html' && preferred.weight > 0
}
