import { wordsOf } from './advised-options.js'
import type { ColumnGuess } from './column-guess.js'
import type { NameOptions } from './csv-header.js'
import type { CsvRecord } from './csv-records.js'

/** A first line is data if every column that is not text starts with a value of its type. */
export function looksLikeRow(first: CsvRecord, guesses: ColumnGuess[]): boolean {
  if (guesses.every(({ type }) => type === 'text')) return false
  return first.fields.every((value, at) => guesses[at]!.type === 'text' || guesses[at]!.takes(value))
}

/** An exception, because tables by year have years as names. */
export function isHeadedByYears(first: CsvRecord, guesses: ColumnGuess[]): boolean {
  const values = first.fields.filter((_, at) => guesses[at]!.type !== 'text')
  return new Set(values).size === values.length && values.every((value) => /^(19|20)\d\d$/.test(value.trim()))
}

/** What to do with names that cannot be used, where the line `lower` looks more like a header, or the first one like a row. */
export function namingOf(rename: boolean, lower: number | undefined, isDoubtful: boolean): NameOptions {
  if (lower === undefined) return { rename, advice: isDoubtful ? noHeader : '', fix: { renameColumns: true } }
  const fix = { skipLines: lower - 1 }
  return { rename, advice: ` ${wordsOf(fix)} takes line ${lower} for the header.`, fix }
}

const noHeader = ' "--no-header" (header: false) takes the first line for a row.'
