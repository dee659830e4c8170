import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
    const { files } = await pack()
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

  it('contains the declarations of what it exports, and no other', async () => {
    const { exports } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
    const wanted = new Set<string>([exports['.'].types, exports['./server'].types].map((path) => join(path)))
    for (const path of wanted) {
      const imported = readFileSync(join(root, path), 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g)
      for (const [, name] of imported) wanted.add(join(dirname(path), `${name}.d.ts`))
    }
    const { files } = await pack()
    expect(files.filter((path) => path.endsWith('.d.ts')).sort()).toEqual([...wanted].sort())
  })

  it('stays within the size that docs/library.md tells', async () => {
    const { size, unpackedSize } = await pack()
    expect(size).toBeLessThan(2_000_000)
    expect(unpackedSize).toBeLessThan(5_000_000)
  })
})

interface Packed {
  files: string[]
  size: number
  unpackedSize: number
}

let packed: Promise<Packed> | undefined

function pack(): Promise<Packed> {
  packed ??= describePack()
  return packed
}

async function describePack(): Promise<Packed> {
  const command = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await promisify(execFile)('npm', command, { cwd: root, maxBuffer: 2 ** 24 })
  const [described] = JSON.parse(stdout)
  return { ...described, files: described.files.map((file: { path: string }) => file.path) }
}
