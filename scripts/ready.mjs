import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, isStale } from './build.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const wantedLock = join(root, 'package-lock.json')
const installedLock = join(root, 'node_modules/.package-lock.json')

/** Installs and builds what is missing or stale. Needs nothing but Node and npm, and speaks on stderr only. */
export function makeReady() {
  if (!isInstalled()) {
    console.error('Installing what package-lock.json lists …')
    // The compiler is a development dependency, and NODE_ENV=production would leave it out.
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
  }
  if (isStale()) {
    console.error('Building …')
    build()
  }
}

/** Compares what npm noted as installed with the lock file: times alone mislead after a checkout. */
function isInstalled() {
  const wanted = readPackages(wantedLock)
  const installed = readPackages(installedLock)
  if (!wanted || !installed) return false
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const found = installed[path]
    if (found && found.version !== entry.version) return false
    if (!found && !mayBeMissing(entry)) return false
  }
  return true
}

/** Optional packages are missing for good where they do not fit the system; others perhaps since the lock file changed. */
function mayBeMissing(entry) {
  if (!entry.optional) return false
  const fits = [entry.os ?? [process.platform], entry.cpu ?? [process.arch]]
  if (entry.libc || !fits[0].includes(process.platform) || !fits[1].includes(process.arch)) return true
  return statSync(wantedLock).mtimeMs <= statSync(installedLock).mtimeMs
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (result.status !== 0) process.exit(result.status ?? 1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    makeReady()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
}
