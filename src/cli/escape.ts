/**
 * Makes text safe to print on a terminal: control characters (C0, DEL, C1), line separators and bidirectional marks
 * become visible escapes. A file name must not be able to move the cursor or imitate another name.
 */
export function visible(text: string): string {
  return text.replace(unprintable, escapeCharacter)
}

/** The same for several lines: line breaks are kept. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n')
}

/** JSON does not escape DEL, C1 and bidirectional marks; this function does. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const shortEscapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeCharacter(character: string): string {
  const short = shortEscapes[character]
  if (short) return short
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
