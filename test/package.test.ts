import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const lockText = readFileSync(`${root}/package-lock.json`, 'utf8')

interface Entry {
  version: string
  integrity?: string
  optionalDependencies?: Record<string, string>
}

describe('the npm package', () => {
  it('has a lock file that names no registry', () => {
    expect(lockText).not.toMatch(/"resolved"|https?:\/\/[^"]*registry/)
  })

  it('has a complete lock file, as npm ci requires (node scripts/complete-lock.mjs completes it)', () => {
    const packages: Record<string, Entry> = JSON.parse(lockText).packages
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
    )
    expect(missing).toEqual([])
  })

  it('has a lock file with the integrity of every package, also for other systems', () => {
    const packages: Record<string, Entry> = JSON.parse(lockText).packages
    const unchecked = Object.entries(packages).filter(
      ([path, entry]) => path !== '' && !entry.integrity?.startsWith('sha512-'),
    )
    expect(unchecked.map(([path]) => path)).toEqual([])
  })

  it('contains the program and its documents only', async () => {
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const { stdout } = await promisify(execFile)('npm', pack, { cwd: root, maxBuffer: 2 ** 24 })
    const files: string[] = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path)
    const wanted =
      /^(bin\/(filejobs\.js|thread-pool\.js|package\.json)|dist\/.*\.(js|d\.ts|html|css|svg|png|webmanifest|json)|dist\/dashboard\/.*\.(br|gz)|docs\/.*|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/
    expect(files.filter((path) => !wanted.test(path))).toEqual([])
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/filejobs.js',
        'bin/package.json',
        'bin/thread-pool.js',
        'LICENSE',
        'dist/protocol/problems.js',
      ]),
    )
  })
})
