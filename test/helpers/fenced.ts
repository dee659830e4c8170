import { readFileSync } from 'node:fs'

/** The fenced blocks of one language in a document of the repository, or in one of its sections, in their order. */
export function fencedBlocks(document: string, language: string, section?: string): string[] {
  const whole = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8')
  const text = section === undefined ? whole : whole.split(/^## /m).find((part) => part.startsWith(`${section}\n`))
  if (text === undefined) throw new Error(`${document} has no section "${section}".`)
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!)
}

/** The text with every key replaced; a key that is not there means that the document has changed. */
export function replaced(text: string, changes: Record<string, string>): string {
  return Object.entries(changes).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`Not in the document any more: ${from}`)
    return result.replaceAll(from, to)
  }, text)
}
