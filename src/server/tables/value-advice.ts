import type { NoteFix } from '../../protocol/import-checks.js'
import { monthFirstDates, parseDateFormat } from './date-format.js'
import { timeFormats } from './time-format.js'
import { ValueFormats } from './value-formats.js'

/** Options that would read a column of text as something else, as on the command line. */
export interface Advice {
  readonly options: string
  /** The same, as in a request. */
  readonly set: NoteFix
  /** Other options that would read all of them as other numbers. */
  readonly others?: string
  readonly as: 'numbers' | 'true and false'
}

/** The options that would read all values of a column as numbers, or as true and false; the first that do. */
export function adviceOnValues(values: Iterable<string>): Advice | undefined {
  let trials = adviceTrials()
  for (const value of values) {
    const trimmed = value.trim()
    if (trimmed !== '') trials = trials.filter((trial) => trial.takes(trimmed))
    if (trials.length === 0) return undefined
  }
  const [first, second] = trials.filter(({ isOfUse }) => isOfUse).map(({ advice }) => advice)
  // `1,234` has groups or decimals: only who knows the file can tell.
  const isDoubtful = first?.options.startsWith('--thousands ,') && second?.options.startsWith('--decimal ,')
  return isDoubtful ? { ...first!, others: second!.options } : first
}

type NumberOptions = Pick<NoteFix, 'decimal' | 'thousands' | 'percent' | 'currency'>

/** Whether a column would be numbers, or true and false, with other options. */
interface AdviceTrial {
  readonly advice: Advice
  /** Whether it needed the option, and has anything but missing values. */
  readonly isOfUse: boolean
  /** Whether every value so far can be read; none is empty. */
  takes(value: string): boolean
}

function adviceTrials(): AdviceTrial[] {
  return [
    trial('--thousands ,', { thousands: ',' }),
    trial('--decimal ,', { decimal: ',' }),
    trial('--decimal , --thousands .', { decimal: ',', thousands: '.' }),
    trial('--thousands " "', { thousands: ' ' }),
    trial('--decimal , --thousands " "', { decimal: ',', thousands: ' ' }),
    trial('--percent', { percent: true }),
    trial('--percent --decimal ,', { percent: true, decimal: ',' }),
    ...currencies.map((mark) => trial(`--currency ${mark}`, { currency: [mark], thousands: ',' }, ' --thousands ,')),
    ...currencies.map((mark) =>
      trial(`--currency ${mark} --decimal ,`, { currency: [mark], decimal: ',', thousands: '.' }, ' --thousands .'),
    ),
    missingTrial(),
    ...booleans.map(([yes, no]) => booleanTrial(yes, no)),
  ]
}

/** `grouping` is added to the advice where a value needs it. */
function trial(words: string, values: NumberOptions, grouping = ''): AdviceTrial {
  const { thousands: _, ...plainly } = values
  const formats = new ValueFormats(values)
  const ungrouped = grouping === '' ? formats : new ValueFormats(plainly)
  const nulls = new Set<string>()
  let isOfUse = false
  let isGrouped = false
  return {
    get advice() {
      const absent = nulls.size > 0 ? ` --null ${[...nulls].join(',')}` : ''
      const set = {
        ...(grouping === '' || isGrouped ? values : plainly),
        ...(nulls.size > 0 ? { nulls: [...nulls] } : {}),
      }
      return { options: words + (isGrouped ? grouping : '') + absent, set, as: 'numbers' as const }
    },
    get isOfUse() {
      return isOfUse
    },
    takes(value) {
      if (missing.has(value)) return nulls.add(value).size > 0
      if (formats.read(value, 'double', unused) === undefined) return false
      isOfUse ||= plain.read(value, 'double', unused) === undefined
      isGrouped ||= ungrouped.read(value, 'double', unused) === undefined
      return true
    },
  }
}

/** Numbers, and a few words that stand for missing ones. */
function missingTrial(): AdviceTrial {
  const seen = new Set<string>()
  let hasNumbers = false
  return {
    get advice() {
      return { options: `--null ${[...seen].join(',')}`, set: { nulls: [...seen] }, as: 'numbers' as const }
    },
    get isOfUse() {
      return hasNumbers && seen.size > 0
    },
    takes(value) {
      if (missing.has(value)) seen.add(value)
      else if (plain.read(value, 'double', unused) === undefined) return false
      else hasNumbers = true
      return true
    },
  }
}

function booleanTrial(yes: string, no: string): AdviceTrial {
  const seen = new Set<string>()
  return {
    advice: {
      options: `--booleans ${yes}/${no}`,
      set: { booleans: [`${yes}/${no}`] },
      as: 'true and false',
    },
    get isOfUse() {
      return seen.size === 2
    },
    takes(value) {
      const word = value.toLowerCase()
      if (word !== yes && word !== no) return false
      seen.add(word)
      return true
    },
  }
}

const plain = new ValueFormats({})
const unused = { dates: parseDateFormat(monthFirstDates), times: timeFormats(parseDateFormat(monthFirstDates))[0] }
const currencies = ['$', '€', '£', '¥', 'USD', 'EUR', 'GBP', 'CHF']
const missing = new Set([
  'NA',
  'N/A',
  'n/a',
  'na',
  'NULL',
  'null',
  'None',
  'NaN',
  'nan',
  '-',
  '--',
  '#N/A',
  '\\N',
  '.',
  '..',
  '...',
  '?',
])
const booleans: [string, string][] = [
  ['yes', 'no'],
  ['y', 'n'],
  ['t', 'f'],
  ['on', 'off'],
  ['ja', 'nein'],
  ['oui', 'non'],
  ['si', 'no'],
]
