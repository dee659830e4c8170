import type { ImportCheck, NoteFix } from '../../../protocol/import-checks.js'
import { say } from '../../words/say.js'
import { dateChoices, delimiterName, typeNames } from './import-choices.js'
import type { ChosenImport } from './import-options.js'

type Fix = NonNullable<ImportCheck['fix']> & NoteFix

/** The options with those that a check or a note proposes. */
export function withFix(options: ChosenImport, fix: Fix): Partial<ChosenImport> {
  return {
    ...fix,
    ...(fix.types && { types: { ...options.types, ...fix.types } }),
    ...(fix.dateFormats && { dateFormats: { ...options.dateFormats, ...fix.dateFormats } }),
    ...(fix.nulls && { nulls: joined(options.nulls, fix.nulls) }),
    ...(fix.currency && { currency: joined(options.currency, fix.currency) }),
    ...(fix.booleans && { booleans: joined(options.booleans, fix.booleans) }),
  }
}

/** What the options would do, in words. */
export function wordsOfFix(fix: Fix): string {
  const { encoding, skipLines, comment, escape: mark, quote, delimiter, renameColumns, header } = fix
  const { decimal, thousands, percent, currency, nulls, booleans } = fix
  const parts = [
    encoding !== undefined && say('import.fix.encoding', { value: encoding }),
    skipLines !== undefined && say('import.fix.skipLines', { count: skipLines }),
    comment !== undefined && say('import.fix.comment', { value: comment }),
    mark !== undefined && say('import.fix.escape', { value: mark }),
    quote !== undefined && say('import.fix.quote'),
    delimiter !== undefined && say('import.fix.delimiter', { mark: delimiterName(delimiter) }),
    renameColumns && say('import.fix.renameColumns'),
    header !== undefined && say(`import.fix.header.${header}`),
    ...Object.entries(fix.types ?? {}).map(([column, type]) =>
      type === 'text'
        ? say('import.fix.text', { column })
        : say('import.fix.type', { column, type: typeNames()[type] ?? type }),
    ),
    ...Object.entries(fix.dateFormats ?? {}).map(([column, format]) =>
      say('import.fix.dates', { column, example: dateChoices[format] ?? format }),
    ),
    decimal === ',' && say('import.fix.decimal'),
    thousands !== undefined && say('import.fix.thousands', { example: `1${thousands}000` }),
    percent && say('import.fix.percent'),
    currency && say('import.fix.currency', { marks: currency.join(', ') }),
    nulls && say('import.fix.nulls', { words: nulls.join(', ') }),
    booleans && say('import.fix.booleans', { words: booleans.join(', ') }),
  ]
  return parts
    .filter((part) => typeof part === 'string')
    .reduce((first, second) => say('import.fix.and', { first, second }))
}

function joined(chosen: readonly string[] = [], more: readonly string[]): string[] {
  return [...new Set([...chosen, ...more])]
}
