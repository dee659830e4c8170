import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeFolder } from '../helpers/temporary-folder.js'

/**
 * Each file of plants/ breaks one rule. Its first lines say where it is planted and what the linter must say of it, `fill` a
 * line that is repeated 300 times. One plant may need several files: each `// file: PATH` begins another one.
 *
 *     // finds: a part of the message
 *     // file: src/server/stores/planted-example.ts
 *     import …
 */
const project = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(project, 'test/lint/plants')
const plants = readdirSync(folder).map((name) => readPlant(name))

describe('npm run lint', () => {
  let output = ''
  const root = mkdtempSync(join(tmpdir(), 'filejobs-test-'))
  afterAll(() => removeFolder(root))

  beforeAll(() => {
    for (const name of ['biome.json', 'scripts']) cpSync(join(project, name), join(root, name), { recursive: true })
    const config = readFileSync(join(root, 'biome.json'), 'utf8')
    writeFileSync(join(root, 'biome.json'), config.replace('"useIgnoreFile": true', '"useIgnoreFile": false'))
    for (const { path, text } of plants.flatMap(({ files }) => files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const run = spawnSync(process.execPath, [join(project, 'scripts/lint.mjs'), root], { encoding: 'utf8' })
    expect(run.status).toBe(1)
    output = run.stdout + run.stderr
  })

  it.each(plants)('reports $name', ({ finds, files }) => {
    const findings = output.split('\n').filter((line) => files.some(({ path }) => line.includes(path)))
    expect(findings).toContainEqual(expect.stringContaining(finds))
  })
})

function readPlant(name: string) {
  const [head, ...rest] = readFileSync(join(folder, name), 'utf8').split(/^\/\/ file: /m)
  const finds = /^\/\/ finds: (.*)$/m.exec(head ?? '')?.[1]
  if (!finds || rest.length === 0) throw new Error(`${name} does not say what is found, and where`)
  const files = rest.map((part) => {
    const [path = '', ...lines] = part.split('\n')
    return {
      path: path.trim(),
      text: lines.join('\n').replace(/^\/\/ fill: (.*)$/m, (_, line) => `${line}\n`.repeat(300)),
    }
  })
  return { name: name.replace(/\.txt$/, '').replaceAll('-', ' '), finds, files }
}
