import type { ColumnType } from '../../protocol/tables.js'
import type { Note } from './notes.js'

/** A planned column. Where its type was neither asked for nor guessed, it is that of earlier imports. */
export interface StandingColumn {
  readonly name: string
  readonly type: ColumnType
  readonly asked: boolean
  readonly guessed: boolean
}

/** Options that say how values of a kind are written. */
export interface ValueFlags {
  readonly dateFormat?: string | undefined
  readonly decimal?: string | undefined
  readonly thousands?: string | undefined
  readonly percent?: boolean | undefined
  readonly currency?: readonly string[] | undefined
  readonly booleans?: readonly unknown[] | undefined
}

/** A note for each column on which an option has no effect, because earlier imports decide on another kind of values. */
export function notesOnStanding(
  columns: readonly StandingColumn[],
  /** What the values alone would make of each column. */
  guesses: readonly { readonly type: ColumnType }[],
  options: ValueFlags & { readonly allText?: boolean | undefined },
): Note[] {
  if (options.allText) return []
  return columns.flatMap(({ name, type, asked, guessed }, at) => {
    const guess = guesses[at]!.type
    const kind = kindOf(guess)
    if (asked || guessed || kind === kindOf(type)) return []
    const idle = flags[kind].filter((flag) => options[flag] !== undefined)
    if (idle.length === 0) return []
    const without = idle.map((flag) => `"${flagNames[flag]}"`).join(' and ')
    const instead = `"--types ${JSON.stringify(name)}=${guess}" changes it for this import, "--replace" starts the table anew`
    const stays = `stays ${type}, as in earlier imports of the table, so ${without} has no effect on it`
    return [{ text: `Column "${name}" ${stays}: ${instead}.`, fix: { types: { [name]: guess } } }]
  })
}

type Kind = 'text' | 'number' | 'moment' | 'boolean'

function kindOf(type: ColumnType): Kind {
  if (type === 'date' || type === 'timestamp') return 'moment'
  return type === 'text' || type === 'boolean' ? type : 'number'
}

const flags = {
  text: [],
  number: ['decimal', 'thousands', 'percent', 'currency'],
  moment: ['dateFormat'],
  boolean: ['booleans'],
} as const satisfies Record<Kind, (keyof ValueFlags)[]>

const flagNames: Record<keyof ValueFlags, string> = {
  dateFormat: '--date-format',
  decimal: '--decimal',
  thousands: '--thousands',
  percent: '--percent',
  currency: '--currency',
  booleans: '--booleans',
}
