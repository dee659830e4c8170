import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Run it after `npm install PACKAGE`. A registry that does not carry the binaries for every system makes npm leave them out
 * of the lock file, and then `npm ci` refuses it everywhere. This adds them as npm itself would: name, version and the
 * integrity that the registry states.
 */
const file = fileURLToPath(new URL('../package-lock.json', import.meta.url))
const lock = JSON.parse(readFileSync(file, 'utf8'))

for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] || lock.packages[`${path}/node_modules/${name}`]) continue
    lock.packages[`node_modules/${name}`] = noteBinary(name, version, entry)
    console.log(`added ${name}@${version}`)
  }
}
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '' || entry.link) continue
  entry.integrity ??= integrityOf(path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length), entry.version)
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)

function integrityOf(name, version) {
  const integrity = execFileSync('npm', ['view', `${name}@${version}`, 'dist.integrity'], { encoding: 'utf8' }).trim()
  if (!integrity.startsWith('sha512-')) throw new Error(`${name}@${version}: the registry states no integrity.`)
  return integrity
}

function noteBinary(name, version, parent) {
  const [, os, cpu, libc] = /-(android|darwin|freebsd|linux|win32)-(arm64|x64)(-musl)?/.exec(name) ?? []
  if (!os) throw new Error(`${name}: which system is it for? Add it to package-lock.json by hand.`)
  return {
    version,
    cpu: [cpu],
    ...(parent.dev && { dev: true }),
    ...(os === 'linux' && { libc: [libc ? 'musl' : 'glibc'] }),
    license: parent.license,
    optional: true,
    os: [os],
  }
}
