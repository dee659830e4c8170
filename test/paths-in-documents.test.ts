import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Where a path in each document may start; `.` is the repository. */
const starts = {
  'CONTRIBUTING.md': ['.'],
  'docs/architecture.md': ['src/server', '.', 'test'],
  'docs/security.md': ['src/server', '.', 'test'],
}
const path = /`([\w.-]+(?:\/[\w.-]+)*\.(?:tsx?|mjs|grit)|(?:src|test|scripts|bench|docs|bin)\/(?:[\w.-]+\/)*)`/g

it.each(Object.entries(starts))('every source and folder that %s names exists', (document, bases) => {
  const missing: string[] = []
  let before = root
  for (const { 0: words, 1: named } of readFileSync(join(root, document), 'utf8').matchAll(new RegExp(path, 'g'))) {
    const folders = [...bases.map((base) => join(root, base)), before]
    const found = folders.map((folder) => join(folder, named!)).find((candidate) => existsSync(candidate))
    if (found === undefined) missing.push(words)
    else before = named!.endsWith('/') ? found : dirname(found)
  }
  // Examples that stand for any name.
  expect(missing.filter((words) => !words.includes('NAME'))).toEqual([])
})
