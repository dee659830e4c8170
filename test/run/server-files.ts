import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The helper that gives each server of a test its backend. */
const backend = 'test/helpers/backend.ts'

/**
 * The test files that start no server by a helper, directly or through other helpers: nothing in them depends on
 * `FILEJOBS_TEST_BACKEND`.
 */
export function filesWithoutServer(root: string): string[] {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('test', name))
  const importers = new Map<string, string[]>()
  for (const file of files) {
    for (const imported of importsOf(root, file)) importers.set(imported, [...(importers.get(imported) ?? []), file])
  }
  const found = new Set([backend])
  for (const file of found) for (const importer of importers.get(file) ?? []) found.add(importer)
  return files.filter((file) => file.endsWith('.test.ts') && !found.has(file))
}

function importsOf(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const paths = [...text.matchAll(/from '(\.[^']+)\.js'/g)].map(([, path]) => path!)
  return paths.map((path) => `${join(dirname(file), path)}.ts`)
}
