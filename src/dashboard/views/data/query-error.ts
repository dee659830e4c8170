/** Where an error of a query is. */
export interface ErrorPlace {
  /** From 1. */
  line: number
  /** Characters from the start of the query. */
  offset: number
}

/**
 * Finds the place that the engine's message points at, which ends with the line and a mark below it:
 *
 *     LINE 2: where nothing = 1
 *                   ^
 *
 * It shortens a long line, with `...` at the cut ends.
 */
export function placeOfError(message: string, sql: string): ErrorPlace | undefined {
  const found = /^LINE (\d+): (.*)\n( *)\^/m.exec(message)
  if (!found) return undefined
  const [, number = '', shown = '', indent = ''] = found
  const line = Number(number)
  const lines = sql.split('\n')
  const text = lines[line - 1]
  if (text === undefined) return undefined
  const column = indent.length - `LINE ${number}: `.length
  const isCut = shown.startsWith('...') && !text.startsWith('...')
  const part = shown.replace(/^\.\.\./, '').replace(/\.\.\.$/, '')
  const start = isCut ? text.indexOf(part) - '...'.length : 0
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0)
  return { line, offset: before + Math.max(0, Math.min(text.length, start + column)) }
}

/** The message without the line and its mark, which are shown at their place. */
export function wordsOfError(message: string): string {
  return message.replace(/\n+LINE \d+: [\s\S]*$/, '').trim()
}
