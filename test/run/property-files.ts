import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The test files that check properties by `helpers/properties.ts`, directly or in a contract suite. */
export function propertyFiles(root: string): string[] {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: join('test', name), text: readFileSync(join(root, 'test', name), 'utf8') }))
  const direct = files.filter(({ text }) => text.includes("helpers/properties.js'"))
  const suites = direct.filter(({ path }) => path.endsWith('-contract.ts')).map(({ path }) => basename(path, '.ts'))
  const users = files.filter(({ text }) => suites.some((suite) => text.includes(`/${suite}.js'`)))
  return [...new Set([...direct, ...users])].map(({ path }) => path).filter((path) => path.endsWith('.test.ts'))
}
