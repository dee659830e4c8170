import { say } from '../../words/say.js'

/** The words of types, by what the server calls them. */
export function typeNames(): Record<string, string> {
  return {
    text: say('import.type.text'),
    integer: say('import.type.integer'),
    double: say('import.type.double'),
    'decimal(18,3)': say('import.type.decimal'),
    boolean: say('import.type.boolean'),
    date: say('import.type.date'),
    timestamp: say('import.type.timestamp'),
  }
}

/** The words of delimiters. */
export function delimiters(): Record<string, string> {
  const marks = {
    ',': 'import.comma',
    ';': 'import.semicolon',
    '\t': 'import.tab',
    '|': 'import.bar',
    ' ': 'import.space',
  } as const
  return Object.fromEntries(Object.entries(marks).map(([mark, name]) => [mark, say(name)]))
}

export function delimiterName(delimiter: string): string {
  return delimiters()[delimiter] ?? delimiter
}

/** Examples of date formats, by what the server calls them. */
export const dateChoices: Readonly<Record<string, string>> = {
  iso: '2026-12-31',
  'day-first': '31/12/2026',
  'month-first': '12/31/2026',
  '%d.%m.%Y': '31.12.2026',
  '%d-%m-%Y': '31-12-2026',
  '%m-%d-%Y': '12-31-2026',
  '%d-%b-%Y': '31-Dec-2026',
  '%d %b %Y': '31 Dec 2026',
  '%Y/%m/%d': '2026/12/31',
  '%Y.%m.%d': '2026.12.31',
  '%Y%m%d': '20261231',
}
