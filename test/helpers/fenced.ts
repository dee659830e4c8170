import { readFileSync } from 'node:fs'

/** The fenced blocks of one language in a document of the repository, in their order. */
export function fencedBlocks(document: string, language: string): string[] {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!)
}
