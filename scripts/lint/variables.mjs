import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const options = 'src/protocol/options/server-options.ts'
const variables = 'src/protocol/options/client-variables.ts'

/** Variables are declared in two tables, so that the help, the documentation and the warnings about unknown ones know each of them. */
export function check(root) {
  const known = new Set([...variablesOf(root), ...optionsOf(root)])
  const findings = []
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  for (const path of names.filter((name) => /\.tsx?$/.test(name)).map((name) => join('src', name))) {
    const text = readFileSync(join(root, path), 'utf8')
    for (const { 0: name, index } of text.matchAll(/\bFILEJOBS_[A-Z]\w*/g)) {
      if (known.has(name) || path === variables) continue
      const line = text.slice(0, index).split('\n').length
      findings.push(`${path}:${line} The variable ${name} is in no table: add it to ${options} or ${variables}.`)
    }
  }
  return findings
}

function variablesOf(root) {
  return textOf(root, variables).match(/FILEJOBS_\w+/g) ?? []
}

function optionsOf(root) {
  const table = textOf(root, options).split('export const serverOptions')[1] ?? ''
  const names = [...table.matchAll(/^ {2}(\w+): \{/gm)].map(([, name]) => name)
  return names.map((name) => `FILEJOBS_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`)
}

function textOf(root, path) {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
}
