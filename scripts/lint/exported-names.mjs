import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names that may be exported by several files, with the reason. At most three. */
const exceptions = {}

/** What programs import from the package: it exports what belongs to other files, too. */
const entries = ['src/client/filejobs.ts', 'src/server/embedded-server.ts']

const declaration =
  /^export (?:declare )?(?:default )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type|enum) +([\w$]+)/gm
const list = /^export (?:type )?\{([^}]*)\}/gm

/**
 * Each exported name of src/ belongs to one file, so that a search finds what an import means. Re-exports count as well, but for those of
 * the package's entries.
 */
export function check(root) {
  const owners = new Map()
  const findings = []
  for (const path of sourceFiles(root)) {
    const text = readFileSync(join(root, path), 'utf8')
    for (const { name, index } of exportsOf(text, entries.includes(path))) {
      const owner = owners.get(name)
      if (owner === undefined) owners.set(name, path)
      else if (owner !== path && !(name in exceptions)) {
        const line = text.slice(0, index).split('\n').length
        findings.push(`${path}:${line} The name "${name}" is exported by ${owner} too: choose another one.`)
      }
    }
  }
  return findings
}

function* exportsOf(text, isEntry) {
  for (const { 1: name, index } of text.matchAll(declaration)) yield { name, index }
  if (isEntry) return
  for (const { 1: names, index } of text.matchAll(list)) {
    for (const item of names.split(',')) {
      const name = item.trim().split(/\s+/).at(-1)
      if (name) yield { name, index }
    }
  }
}

function sourceFiles(root) {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .sort()
    .map((name) => join('src', name))
}
