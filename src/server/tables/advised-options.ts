/** Options that would read a file which was refused, by their names in a request. */
export interface AdvisedOptions {
  encoding?: string
  skipLines?: number
  comment?: string
  escape?: string
  quote?: string
  delimiter?: string
  renameColumns?: true
}

/** The options of the command line, and in parentheses those of a request: `"--skip-lines 5" (skipLines)`. */
export function wordsOf(advised: AdvisedOptions): string {
  const words = Object.entries(advised).map(([field, value]) => {
    const flag = `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    const shown = value === true ? '' : ` ${names[value] ?? value}`
    return `"${flag}${shown}" (${field})`
  })
  return words.join(' and ')
}

/** With the options as they are named in the program. */
export function withAdvised<Options extends object>(
  options: Options,
  { escape: quoteEscape, ...advised }: AdvisedOptions,
): Options & Omit<AdvisedOptions, 'escape'> & { quoteEscape?: string } {
  return { ...options, ...advised, ...(quoteEscape === undefined ? {} : { quoteEscape }) }
}

const names: Record<string, string> = { ' ': 'space', '': 'none' }
