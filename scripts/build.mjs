import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'dist', '.built')

/** Whether `dist` is missing, or older than anything that it is made from. A folder's time tells of deleted sources. */
export function isStale() {
  if (!existsSync(stamp)) return true
  const builtAt = statSync(stamp).mtimeMs
  const sources = [
    'src',
    ...walk('src'),
    'tsconfig.json',
    'package-lock.json',
    'scripts/build.mjs',
    'scripts/build-dashboard.mjs',
  ]
  return sources.some((path) => statSync(join(root, path)).mtimeMs > builtAt)
}

/**
 * Compiles `src` into `dist`, and the dashboard; what they have to say goes to stderr. Files whose source is gone are removed first, since the
 * compiler leaves them, and one that is missing is made again, since an incremental compiler believes its notes.
 * Throws when the compiler refuses.
 */
export function build() {
  const startedAt = new Date()
  const wanted = walk('src')
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .filter(isCompiled)
  const outputs = new Set(wanted.flatMap((path) => [outputOf(path, '.js'), outputOf(path, '.d.ts')]))
  const present = existsSync(join(root, 'dist')) ? walk('dist').filter((path) => /\.(js|d\.ts)$/.test(path)) : []
  for (const path of present) if (isCompiled(path) && !outputs.has(path)) rmSync(join(root, path))
  if ([...outputs].some((path) => !present.includes(path))) rmSync(join(root, 'dist/.tsbuildinfo'), { force: true })

  run(join(root, 'node_modules/typescript/bin/tsc'), '-p', root)
  run(join(root, 'scripts/build-dashboard.mjs'))
  mkdirSync(dirname(stamp), { recursive: true })
  // The time of the start, so that a source that was saved meanwhile counts as newer.
  writeFileSync(stamp, `${startedAt.toISOString()}\n`)
  utimesSync(stamp, startedAt, startedAt)
}

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('The build failed: see the messages above.')
}

/** Paths below `folder`, folders among them, relative to the root. */
function walk(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? [path, ...walk(path)] : [path]
  })
}

/** The dashboard is built by its own tool. */
function isCompiled(path) {
  return !/^(src|dist)\/dashboard\//.test(path)
}

function outputOf(source, extension) {
  return source.replace(/^src\//, 'dist/').replace(/\.ts$/, extension)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
