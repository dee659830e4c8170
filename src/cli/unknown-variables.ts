import { closest, distance } from 'fastest-levenshtein'
import { clientVariables } from '../protocol/options/client-variables.js'
import { type OptionName, serverOptions, variableOf } from '../protocol/options/server-options.js'
import type { Context } from './context.js'

/** Returns a warning for each `FILEJOBS_…` variable that neither the server nor the client reads. */
export function findUnknownVariables(env: Context['env']): string[] {
  const known = [...(Object.keys(serverOptions) as OptionName[]).map(variableOf), ...clientVariables]
  return Object.keys(env)
    .filter((name) => name.startsWith('FILEJOBS_') && !known.includes(name))
    .map((name) => {
      const nearest = closest(name, known)
      const hint = distance(name, nearest) <= farthest ? ` Did you mean ${nearest}?` : ''
      return `Warning: Unknown variable ${name}.${hint}`
    })
}

/** More changed letters than this are another word. */
const farthest = 4
