import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** Builds `src/dashboard` into `dist/dashboard`, unless nothing has changed, and compresses what the server will send. */
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const output = join(root, 'dist/dashboard')
const stamp = join(output, '.built')

if (isStale()) {
  const startedAt = new Date()
  // A run of tests sets another one, with which the scripts are larger.
  process.env.NODE_ENV = 'production'
  const { build } = await import('vite')
  await build({ configFile: join(root, 'src/dashboard/vite.config.mjs') })
  for (const path of filesBelow(output)) compress(path)
  writeFileSync(stamp, '')
  utimesSync(stamp, startedAt, startedAt)
}

function isStale() {
  if (!existsSync(stamp)) return true
  const builtAt = statSync(stamp).mtimeMs
  const folders = ['src/dashboard', 'src/protocol', 'src/server/routing'].flatMap((folder) =>
    filesBelow(join(root, folder)),
  )
  const others = ['package-lock.json', 'scripts/build-dashboard.mjs', 'src/dashboard', 'src/protocol']
  return [...folders, ...others.map((path) => join(root, path))].some((path) => statSync(path).mtimeMs > builtAt)
}

/** Once, as small as it gets, instead of at every request. */
function compress(path) {
  const bytes = readFileSync(path)
  const options = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, options))
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
