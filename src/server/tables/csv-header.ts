import type { AdvisedOptions } from './advised-options.js'
import type { CsvRecord } from './csv-records.js'
import { malformedAt } from './malformed.js'

/** The columns of a file, by its header and the lengths of its rows. */
export interface CsvHeader {
  /** Of the columns that are imported. */
  readonly names: string[]
  /** Columns behind them that have neither a name nor a value. */
  readonly unnamed: number
  /** Which names were given or changed, in words. */
  readonly renamed: string[]
}

/** What to do with columns whose names are missing or repeated. */
export interface NameOptions {
  /** Whether they get a name, instead of being refused. */
  rename: boolean
  /** Added to a refusal. */
  advice: string
  /** What a refusal advises. */
  fix?: AdvisedOptions
}

/** Joins the header's lines: `Sales` above `2019` is `Sales 2019`. */
export function joinedNames(lines: readonly CsvRecord[]): string[] {
  const width = Math.max(...lines.map(({ fields }) => fields.length))
  return Array.from({ length: width }, (_, at) => {
    const parts = lines.map(({ fields }) => (fields[at] ?? '').trim())
    return parts.filter((part) => part !== '').join(' ')
  })
}

/**
 * How many columns behind the last name are always empty, although all rows have a field for them: those of a delimiter at the end
 * of each line. The header or the rows may lack that delimiter.
 */
export function trailingColumns(
  names: readonly string[],
  rows: readonly CsvRecord[],
): { named: number; unnamed: number } {
  const none = { named: names.length, unnamed: 0 }
  const named = names.findLastIndex((name) => name !== '') + 1
  const whole = rows.filter(({ fault }) => fault === null)
  const width = whole[0]?.fields.length ?? named
  if (named === 0 || width < named || (width === named && names.length === named)) return none
  const isTrailing = whole.every(
    ({ fields }) => fields.length === width && fields.slice(named).every((field) => field === ''),
  )
  return isTrailing ? { named, unnamed: width - named } : none
}

/** Checks the names; throws `malformed-csv` for those that cannot be used. */
export function checkedNames(line: number, given: readonly string[], { rename, advice, fix }: NameOptions) {
  const names: string[] = []
  const renamed: string[] = []
  // Names are compared as the engine does it, in any case.
  const taken = new Set(given.map((name) => name.toLowerCase()))
  const seen = new Set<string>()
  for (const [at, name] of given.entries()) {
    if (name.length > 255) throw malformedAt(line, `The name of column ${at + 1} is longer than 255 characters.`)
    const isRepeated = seen.has(name.toLowerCase())
    if (name !== '' && !isRepeated) {
      seen.add(name.toLowerCase())
      names.push(name)
      continue
    }
    const what = name === '' ? `Column ${at + 1} has no name.` : `Two columns are called "${name}".`
    if (!rename)
      throw malformedAt(line, what, `${renameAdvice}${advice}`, {
        column: name || null,
        unnamed: true,
        ...(fix ? { fix } : {}),
      })
    const free = freeName(name === '' ? `column${at + 1}` : name, name === '' ? '' : '_2', taken)
    taken.add(free.toLowerCase())
    seen.add(free.toLowerCase())
    names.push(free)
    renamed.push(name === '' ? `column ${at + 1} "${free}"` : `the second "${name}" "${free}"`)
  }
  return { names, renamed }
}

function freeName(name: string, suffix: string, taken: ReadonlySet<string>): string {
  let free = name + suffix
  for (let number = 2; taken.has(free.toLowerCase()); number++) free = `${name}_${number}`
  return free
}

const renameAdvice = ' "--rename-columns" (renameColumns) gives such columns names.'
