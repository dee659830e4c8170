import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll } from 'vitest'
import { cleanEnvironment } from './program.js'
import { removeFolder } from './temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

export interface Consumer {
  /** Of another program, which has the package in its `node_modules`. */
  readonly folder: string
  /** Writes a file of that program. */
  write(name: string, text: string): void
  /** Runs a file of it to its end. Rejects if it fails, with what it printed. */
  node(file: string, env?: Record<string, string>): Promise<{ stdout: string; stderr: string }>
  /** Compiles it with the options, and returns what the compiler says. */
  compile(options: object, file: string): Promise<string>
}

/** A program that has installed the packed tarball. Dependencies are those of the repository: no registry is asked. */
export function shareConsumer(): Consumer {
  const folder = mkdtempSync(join(tmpdir(), 'filejobs-test-'))
  const installed = join(folder, 'node_modules/filejobs')
  afterAll(() => removeFolder(folder))
  beforeAll(async () => {
    mkdirSync(installed, { recursive: true })
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
    const { stdout } = await run('npm', pack, { cwd: root, maxBuffer: 2 ** 24 })
    const [{ filename }] = JSON.parse(stdout)
    await run('tar', ['xzf', join(folder, filename), '--strip-components', '1', '-C', installed])
    linkDependencies(folder)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  })
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return {
    folder,
    write,
    node: (file, env) =>
      run(process.execPath, [file], { cwd: folder, timeout: 110_000, env: { ...cleanEnvironment(folder), ...env } }),
    async compile(options, file) {
      const settings = { strict: true, noEmit: true, target: 'ES2022', ...options }
      write('tsconfig.json', JSON.stringify({ compilerOptions: settings, files: [file] }))
      const compiler = join(root, 'node_modules/typescript/bin/tsc')
      const failed = (error: { stdout: string }) => error
      return (await run(process.execPath, [compiler, '-p', folder], { cwd: folder }).catch(failed)).stdout
    },
  }
}

function linkDependencies(folder: string): void {
  const source = join(root, 'node_modules')
  for (const name of readdirSync(source)) {
    if (name.startsWith('.') || name === 'filejobs') continue
    symlinkSync(join(source, name), join(folder, 'node_modules', name))
  }
}
