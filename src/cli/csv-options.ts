import type { Command } from 'commander'
import { invalidOption } from '../protocol/options/option-values.js'
import type { ImportBody } from '../protocol/tables.js'
import { parseCount } from './choices.js'

/** The options of `import` that say how a file is written, and how its values are read. */
export interface CsvOptionValues {
  dateColumn?: string
  dateFormat?: string
  types?: string
  allText?: boolean
  header?: boolean
  skipBadLines?: boolean
  trim?: boolean
  encoding?: string
  delimiter?: string
  quote?: string
  escape?: string
  comment?: string
  skipLines?: string
  headerLines?: string
  renameColumns?: boolean
  decimal?: string
  thousands?: string
  percent?: boolean
  currency?: string
  null?: string
  booleans?: string
}

export function addCsvOptions(command: Command): Command {
  return command
    .option('--date-column <column>', 'the column that --from and --to filter by (default: the first one with dates)')
    .option(
      '--date-format <format>',
      'iso, month-first, day-first, or a pattern such as %d.%m.%Y or %d-%b-%Y (default: iso, month-first, or one that is clear); COLUMN=FORMAT,… for single columns',
    )
    .option('--types <list>', 'COLUMN=TYPE,…: text, integer, double, decimal(18,2), boolean, date or timestamp')
    .option('--all-text', 'import every column as text')
    .option('--header', 'the first line names the columns (default: detected)')
    .option('--no-header', 'the first line is a row')
    .option('--header-lines <number>', 'the number of lines of the header, whose names are joined')
    .option('--skip-lines <number>', 'the number of lines above the header')
    .option('--rename-columns', 'give columns names whose own is missing or taken')
    .option('--skip-bad-lines', 'skip bad lines, and list them')
    .option('--trim', 'trim spaces around text values')
    .option(
      '--encoding <name>',
      'the encoding of the text, such as windows-1252 (default: UTF-8, or UTF-16 if evident)',
    )
    .option('--delimiter <mark>', 'what separates fields: one character, or "tab" or "space" (default: detected)')
    .option('--quote <mark>', 'what encloses values, or "none" (default: detected)')
    .option('--escape <mark>', 'what stands before a quote within quotes (default: quotes are doubled)')
    .option('--comment <mark>', 'leave out lines that begin with it')
    .option('--decimal <mark>', 'the decimal mark of numbers: . or , (default: .)')
    .option('--thousands <mark>', 'what separates groups of three digits: . or , or " " or \' or _')
    .option('--percent', 'read 12 % as 0.12')
    .option('--currency <list>', 'marks before or after amounts: €,EUR,…')
    .option('--null <list>', 'words for missing values: NULL,NA,-,…')
    .option('--booleans <list>', 'words for true and false: yes/no,…')
}

export function csvOptionsOf(
  options: CsvOptionValues,
): Omit<ImportBody, 'filename' | 'filenames' | 'table' | 'replace' | 'once'> {
  const { dateColumn, dateFormat, types, allText, header, skipBadLines, trim, encoding, renameColumns, percent } =
    options
  const { delimiter, quote, escape: quoteEscape, comment, skipLines, headerLines } = options
  const { decimal, thousands, currency, null: nulls, booleans } = options
  return {
    dateColumn,
    allText,
    header,
    skipBadLines,
    trim,
    encoding,
    renameColumns,
    percent,
    ...given('delimiter', delimiter, (text) => parseMark('--delimiter', text)),
    ...given('quote', quote, (text) => (text === 'none' ? '' : parseMark('--quote', text))),
    ...given('escape', quoteEscape, (text) => parseMark('--escape', text)),
    ...given('comment', comment, (text) => parseMark('--comment', text)),
    ...given('skipLines', skipLines, (text) => parseCount(text, '--skip-lines')),
    ...given('headerLines', headerLines, (text) => parseCount(text, '--header-lines', 1)),
    ...given('decimal', decimal, (text) => parseChoice('--decimal', text, decimals)),
    ...given('thousands', thousands, (text) => parseChoice('--thousands', text, groupings)),
    ...given('currency', currency, parseList),
    ...given('nulls', nulls, parseList),
    ...given('booleans', booleans, parseList),
    ...parseDateFormats(dateFormat),
    ...given('types', types, (list) => parsePairs('--types', 'COLUMN=TYPE', list)),
  }
}

function given<Key extends string, Value>(key: Key, text: string | undefined, parse: (text: string) => Value) {
  return (text === undefined ? {} : { [key]: parse(text) }) as { [key in Key]?: Value }
}

function parseMark(option: string, text: string): string {
  const mark = named[text] ?? text
  if (mark.length === 1) return mark
  throw invalidOption(option, `must be one character, "tab" or "space", not "${text}"`)
}

function parseChoice<Choice extends string>(option: string, text: string, choices: readonly Choice[]): Choice {
  const mark = (named[text] ?? text) as Choice
  if (choices.includes(mark)) return mark
  throw invalidOption(option, `must be one of ${choices.map((choice) => JSON.stringify(choice)).join(' ')}`)
}

function parseList(text: string): string[] {
  return text.split(',').filter((word) => word !== '')
}

/** One format for all columns, or one for each of some. */
function parseDateFormats(text: string | undefined): Pick<ImportBody, 'dateFormat' | 'dateFormats'> {
  if (!text?.includes('=')) return { dateFormat: text }
  return { dateFormats: parsePairs('--date-format', 'COLUMN=FORMAT', text) }
}

/** Commas inside the parentheses of `decimal(18,2)` do not separate columns. */
function parsePairs(option: string, form: string, list: string): Record<string, string> {
  const pairs = list.split(/,(?![^()]*\))/).map((pair) => {
    const at = pair.lastIndexOf('=')
    if (at < 1) throw invalidOption(option, `must be written ${form}, not "${pair}"`)
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
  })
  return Object.fromEntries(pairs)
}

const named: Record<string, string> = { tab: '\t', '\\t': '\t', space: ' ' }
const decimals = ['.', ','] as const
const groupings = ['.', ',', ' ', "'", '_'] as const
