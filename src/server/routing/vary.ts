import type { Context } from 'hono'
import type { AppEnv } from './app-env.js'

/**
 * Adds a request header to `Vary`. On both responses: Hono's replaces the one on Node's, where CORS has set its own,
 * and files are sent without Hono's.
 */
export function addVary(c: Context<AppEnv>, header: string): void {
  const vary = c.env.outgoing.appendHeader('Vary', header).getHeader('Vary')
  c.header('Vary', [vary].flat().join(', '))
}
