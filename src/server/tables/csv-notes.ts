import type { ColumnGuess } from './column-guess.js'

/** What to say of a column that was taken for text though nearly all of it are dates; undefined where there is nothing to say. */
export function noteOnDates(name: string, { dateMisfit }: ColumnGuess): string | undefined {
  if (!dateMisfit) return undefined
  const { line, value, format } = dateMisfit
  const what = `line ${line} has ${JSON.stringify(value.slice(0, 60))}, which is no date like ${format.pattern}`
  return `Column "${name}" was taken for text: ${what}.`
}

/** What to say of a first line that fits the columns as well as the others do, whatever it was taken for. */
export function noteOnHeader(taken: boolean): string {
  return taken
    ? 'The first line was taken for the header, but fits as a row too: "--no-header" (header: false) takes it for one.'
    : 'The first line was taken for a row, as it fits the others: "--header" (header: true) takes it for names.'
}
