import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { hasProgram } from './lab.mjs'
import { freePort, startFilejobs } from './servers.mjs'

/** Where the programs of PostgreSQL and versitygw are; undefined if one is missing. Debian keeps the first ones out of the path. */
export function findStoragePrograms() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = versions.map((version) => join(debian, version, 'bin'))
  const postgres =
    folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? (hasProgram('initdb') ? '' : undefined)
  const go = [process.env.GOBIN, process.env.GOPATH && join(process.env.GOPATH, 'bin'), join(homedir(), 'go/bin')]
  const built = go.flatMap((folder) => (folder ? join(folder, 'versitygw') : [])).find((path) => existsSync(path))
  const versitygw = built ?? (hasProgram('versitygw') ? 'versitygw' : undefined)
  return postgres === undefined || versitygw === undefined ? undefined : { postgres, versitygw }
}

/** Starts `filejobs serve` on a database and a bucket of its own. */
export async function startWithBucket(lab) {
  return startServer(lab, await openSharedStorage(lab))
}

/** Starts servers that share a database and a bucket, and the account of the first one. */
export async function startServers(lab, storage, count, options) {
  const servers = [await startServer(lab, storage, options)]
  const { token } = servers[0]
  while (servers.length < count) servers.push(await startServer(lab, storage, { ...options, token }))
  return servers
}

/**
 * Starts one on a shared storage; `options` are those of `startFilejobs`.
 * @param {{flags?: string[], token?: string}} [options]
 */
export function startServer(lab, storage, options = {}) {
  return startFilejobs(lab, { ...options, flags: [...storage.flags, ...(options.flags ?? [])], env: storage.env })
}

/** An empty database and an empty bucket, for any number of servers. */
export async function openSharedStorage(lab) {
  const programs = findStoragePrograms()
  const { url: database, pid } = await startPostgres(lab, programs.postgres)
  const bucket = await startVersitygw(lab, programs.versitygw)
  const sql = postgres(database, { max: 1, onnotice: () => {} })
  lab.onClose(() => void sql.end({ timeout: 0 }).catch(() => {}))
  return {
    flags: ['--database', database, '--bucket', bucket.url],
    env: { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench-secret' },
    /** A connection for the bench. */
    sql,
    /** The process whose children are those of the database. */
    databasePid: pid,
    /** Of all objects, also those that are being written. */
    storedBytes: () => bytesBelow(bucket.folder),
  }
}

async function startPostgres(lab, programs) {
  const data = join(lab.folder('postgres'), 'data')
  mkdirSync(data)
  // PostgreSQL refuses to run as root.
  const isRoot = userInfo().uid === 0
  const asUser = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : ['env']
  if (isRoot)
    spawnSync('sh', ['-c', `chown postgres "$1" && chmod a+x "$2" "$3"`, 'sh', data, join(data, '..'), lab.disk])
  const [command, ...before] = asUser
  const options = ['--no-sync', '--auth=trust', '--username=filejobs', '--encoding=UTF8', '--no-locale']
  const made = spawnSync(command, [...before, join(programs, 'initdb'), '-D', data, ...options], { cwd: '/' })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off']
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
  const placed = { cwd: '/', quiet: true, endSignal: 'SIGQUIT' }
  const { pid } = lab.start(command, [...before, join(programs, 'postgres'), ...args], placed)
  await untilReady(() => spawnSync(join(programs, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status === 0)
  return { url: `postgres://filejobs@127.0.0.1:${port}/postgres`, pid }
}

async function startVersitygw(lab, program) {
  const data = lab.folder('bucket')
  mkdirSync(join(data, 'bench'))
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  lab.start(program, ['--port', address, '--quiet', '--keep-alive', 'posix', data], {
    env: { ROOT_ACCESS_KEY: 'bench', ROOT_SECRET_KEY: 'bench-secret' },
    quiet: true,
  })
  await untilReady(() =>
    fetch(`http://${address}/`).then(
      () => true,
      () => false,
    ),
  )
  return { url: `s3://bench?endpoint=http://${address}`, folder: data }
}

function bytesBelow(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  // One may be removed meanwhile.
  const sizes = files.map(
    ({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0,
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function untilReady(look) {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await look()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('A server that the bench needs did not start.')
}
