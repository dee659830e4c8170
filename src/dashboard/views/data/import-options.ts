import type { ImportCheckBody } from '../../../protocol/import-checks.js'
import { routes } from '../../../protocol/routes.js'
import type { ImportBody } from '../../../protocol/tables.js'

/** What a person chooses about an import, as in its request; what is left out is detected. */
export type ChosenImport = Omit<ImportBody, 'filename' | 'filenames' | 'once'>

/** The address of the page that imports a file. */
export function importHref(file: string, options: ChosenImport = {}): string {
  const query = new URLSearchParams({ import: file })
  if (Object.keys(options).length > 0) query.set('options', JSON.stringify(options))
  return `${routes.tables}?${query}`
}

/** The options of such an address; none if they cannot be read. The server refuses what it does not know. */
export function optionsOf(query: URLSearchParams): ChosenImport {
  try {
    const value: unknown = JSON.parse(query.get('options') ?? '{}')
    return typeof value === 'object' && value !== null ? (value as ChosenImport) : {}
  } catch {
    return {}
  }
}

/** The options with changes; those that are empty are left out. */
export function withOptions(options: ChosenImport, changes: Partial<ChosenImport>): ChosenImport {
  const given = Object.entries({ ...options, ...changes }).filter(([, value]) => !isEmpty(value))
  return Object.fromEntries(given) as ChosenImport
}

/** The body of the check that shows what an import with these options would do. */
export function checkBody(filename: string, options: ChosenImport): ImportCheckBody {
  const { skipBadLines: _, ...rest } = options
  return { filename, preview: true, ...rest }
}

/** An empty quote says that there are none. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false) return true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
