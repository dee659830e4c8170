import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `npm run lint` runs Biome, with the rules of biome.json and scripts/lint/*.grit, and then the checks that look at more
 * than one file: each scripts/lint/*.mjs exports `check(root)`, which returns its findings as `PATH:LINE MESSAGE`.
 * An argument names another root to check.
 */
const here = fileURLToPath(new URL('.', import.meta.url))
const root = resolve(process.argv[2] ?? join(here, '..'))
const biome = join(here, '../node_modules/@biomejs/biome/bin/biome')
const args = ['check', '--error-on-warnings', '--max-diagnostics=none', '--reporter=concise']
const { status } = spawnSync(process.execPath, [biome, ...args], { cwd: root, stdio: 'inherit' })

let findings = 0
for (const name of readdirSync(join(here, 'lint')).filter((file) => file.endsWith('.mjs'))) {
  const { check } = await import(`./lint/${name}`)
  for (const finding of await check(root)) {
    findings += 1
    console.log(`× ${finding}`)
  }
}
process.exitCode = status === 0 && findings === 0 ? 0 : 1
