import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const comment = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
const mention = /\b[\w./-]+\.md\b|\b[Rr]ule \d+\b|\bof the design\b/g

/** Comments cite RFCs and documents of this repository, and nothing that a reader cannot open. */
export function check(root) {
  const findings = []
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  for (const path of names.filter((name) => /\.tsx?$/.test(name)).map((name) => join('src', name))) {
    const text = readFileSync(join(root, path), 'utf8')
    for (const { 0: words, index } of text.matchAll(comment)) {
      for (const { 0: cited } of words.matchAll(mention)) {
        if (cited.endsWith('.md') && existsSync(join(root, cited))) continue
        const line = text.slice(0, index).split('\n').length
        findings.push(`${path}:${line} A comment cites "${cited}", which is no document of this repository.`)
      }
    }
  }
  return findings
}
