import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { damageFile } from '../helpers/damage.js'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { startTestServer } from '../helpers/server.js'
import { makeTable } from '../helpers/tables.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { openTestBucket } from './helpers/bucket.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { closedDataFolder, contentsOf, fillAccount, openMigration } from './helpers/data-folders.js'
import { type ClusterPlace, emptyPlace, hasCluster, placeVariables, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('filejobs migrate', () => {
  it('moves accounts, files, folders, links, sessions and the history, and leaves the folder as it is', async () => {
    const callers: Caller[] = []
    const before: unknown[] = []
    let share: { url: string } | undefined
    const dataFolder = await closedDataFolder(async (server) => {
      for (const username of ['ann', 'bob']) callers.push(await fillAccount(server, username))
      await callers[0]!.call('/files/kept/empty/', { method: 'PUT' })
      share = (await callers[0]!.post('/shares', { filename: 'sub/small.txt', expiresIn: 3600 })).json
      const admin = new Caller(server, await server.logIn('admin', 'admin'))
      await server.logIn('gone')
      await admin.call('/accounts/user:gone', { method: 'DELETE' })
      await server.logIn('away')
      await admin.call('/accounts/user:away', { method: 'PATCH', body: { disabled: true } })
      for (const caller of callers) before.push(await readAll(caller))
    })
    const untouched = contentsOf(dataFolder)
    const place = await emptyPlace()
    const migration = await openMigration(dataFolder, place)
    const { code, report, stderr } = await migration.run()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(report).toMatchObject({ accounts: 4, sessions: 3, shares: 1, files: 10, failed: [], isFinished: true })
    expect(contentsOf(dataFolder)).toEqual(untouched)

    const { servers } = await startCluster(1, { place })
    for (const [index, old] of callers.entries()) {
      const caller = new Caller(servers[0]!, old.token)
      expect(await readAll(caller)).toEqual(before[index])
      const { json } = await caller.call('/files?limit=1000')
      for (const { name, sha256 } of json.files) {
        const { body } = await caller.call(`/files/${encodeURI(name)}`)
        expect([name, createHash('sha256').update(body).digest('hex')]).toEqual([name, sha256])
      }
    }
    const anybody = new Caller(servers[0]!, '')
    const logIn = (username: string, role = 'user') =>
      anybody.post('/auth/login', { role, username, password: role === 'user' ? 'correct horse' : 'admin-password' })
    expect((await logIn('ann')).status).toBe(200)
    expect((await logIn('bob')).status).toBe(200)
    const admin = new Caller(servers[0]!, (await logIn('admin', 'admin')).json.token)
    expect((await logIn('away')).status).toBe(403)
    expect((await admin.call('/accounts')).json.accounts).toHaveLength(4)
    expect(String((await anybody.call(pathOf(share!.url))).body)).toBe('small')
  })

  it('continues after a kill at any point, and sends nothing twice', async () => {
    const dataFolder = await closedDataFolder(async (server) => {
      for (const username of ['ann', 'bob']) await fillAccount(server, username)
    })
    const place = await emptyPlace()
    const proxy = await startBucketProxy()
    const migration = await openMigration(dataFolder, place, { bucketOrigin: proxy.origin })
    let kills = 0
    for (let request = 1; ; request += 2) {
      proxy.holdAt(request)
      const running = migration.start()
      await eventually('it is held, or has ended', () => proxy.isHolding || running.child.exitCode !== null)
      running.child.kill('SIGKILL')
      const code = await running.ended()
      proxy.release()
      if (code === 0) break
      kills += 1
    }
    expect(kills).toBeGreaterThan(2)
    const { code, report } = await migration.run()
    expect({ code, report }).toMatchObject({ code: 0, report: { files: 10, sent: { files: 0 }, isFinished: true } })
    await expectWhole(place, 2)
  })

  it('takes over what was changed, added and removed between two runs', async () => {
    const dataFolder = await closedDataFolder((server) => fillAccount(server, 'ann'))
    const folder = join(dataFolder, 'uploads/user/ann')
    const place = await emptyPlace()
    const migration = await openMigration(dataFolder, place)
    expect(await migration.run()).toMatchObject({ code: 0 })
    await writeFile(join(folder, 'by hand/file.csv'), 'c,d\n')
    await writeFile(join(folder, 'new'), 'new')
    await rm(join(folder, 'sub'), { recursive: true })
    await mkdir(join(dataFolder, 'uploads/user/nobody'))
    await writeFile(join(dataFolder, 'uploads/user/nobody/file'), 'x')
    const changed = await migration.run()
    expect(changed).toMatchObject({ code: 0, report: { files: 5, sent: { files: 3, bytes: 8 }, removed: 2 } })
    await rm(join(dataFolder, 'uploads/user/nobody'), { recursive: true })
    expect(await migration.run()).toMatchObject({ code: 0, report: { files: 4, sent: { files: 0 }, removed: 1 } })
    const { servers, logIn } = await startCluster(1, { place })
    const [ann] = await logIn('other')
    expect(ann!.url).toBe(servers[0]!.url)
    const { json } = await new Caller(servers[0]!, '').post('/auth/login', {
      username: 'ann',
      password: 'correct horse',
    })
    const caller = new Caller(servers[0]!, json.token)
    expect(await caller.names()).toEqual(['by hand/file.csv', 'empty', 'new', 'z/ü 𝄞.bin'])
    expect(String((await caller.call('/files/by%20hand/file.csv')).body)).toBe('c,d\n')
    // Servers may have changed it meanwhile.
    expect(await migration.run()).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('in use: it has 3 accounts'),
    })
  })

  it('names damaged files, tables and what is not served, and does not finish unless it is told to', async () => {
    const dataFolder = await closedDataFolder(async (server) => {
      const ann = await fillAccount(server, 'ann')
      await makeTable(ann, 'sales', 'city,sales\nRome,1\n')
    })
    const folder = join(dataFolder, 'uploads/user/ann')
    const damaged = [join(folder, 'sub/large.bin'), join(folder, 'sub/small.txt')]
    for (const path of damaged) damageFile(path)
    const restored = await temporaryFolder()
    execFileSync('cp', ['-a', `${dataFolder}/.`, restored])
    await symlink('empty', join(restored, 'uploads/user/ann/link'))
    await writeFile(join(restored, 'partial/left.bin'), 'x')
    const place = await emptyPlace()
    const migration = await openMigration(restored, place)
    const { code, report } = await migration.run()
    expect(code).toBe(8)
    expect(report).toMatchObject({
      isFinished: false,
      files: 4,
      leftOut: { tables: 1, imports: 1, unfinishedUploads: 1 },
    })
    expect(report.leftOut.unserved).toMatchObject([{ path: join(restored, 'uploads/user/ann/link') }])
    const names = report.failed.map(({ path, why }: { path: string; why: string }) => [path, why.slice(0, 15)]).sort()
    expect(names).toEqual(damaged.map((path) => [path.replace(dataFolder, restored), 'its SHA-256 is ']))
    const words = await migration.client.run(migration.args.slice(0, -1), { env: migration.env })
    expect(words).toMatchObject({ code: 8, stdout: expect.stringContaining('Not moved: 1 table of 1 import.') })
    expect(words.stdout).toContain('run it with --leave-out')
    expect(await startRefused(place)).toContain('run "filejobs migrate" to its end first')
    for (const path of damaged) await rm(path.replace(dataFolder, restored))
    expect(await migration.run()).toMatchObject({ code: 1, report: { failed: [], isFinished: false } })
    expect(await migration.run('--leave-out')).toMatchObject({ code: 0, report: { isFinished: true } })
    await startCluster(1, { place })
    await expectWhole(place, 1)
  })

  it('names files that cannot be read, and those that change meanwhile', async () => {
    const dataFolder = await closedDataFolder((server) => fillAccount(server, 'ann'))
    const folder = join(dataFolder, 'uploads/user/ann')
    const proxy = await startBucketProxy()
    const migration = await openMigration(dataFolder, await emptyPlace(), { bucketOrigin: proxy.origin })
    proxy.holdAt(1)
    const running = migration.start()
    await eventually('files are being sent', () => proxy.isHolding)
    const large = join(folder, 'sub/large.bin')
    await writeFile(large, 'short')
    proxy.release()
    expect(await running.ended()).toBe(1)
    expect(JSON.parse(running.stdout).failed).toEqual([
      { path: large, why: 'another program has changed it meanwhile', isDamage: false },
    ])
    expect(await migration.run()).toMatchObject({ code: 0, report: { sent: { files: 1, bytes: 5 } } })
  })

  it('refuses a folder in use, one that is none, and one whose changes a crash has interrupted', async () => {
    const place = await emptyPlace()
    const server = await startTestServer()
    onTestFinished(() => server.close())
    const running = await openMigration(server.dataFolder, place)
    expect(await running.run()).toMatchObject({ code: 5, stderr: expect.stringContaining('works on this data folder') })
    const none = await openMigration(await temporaryFolder(), place)
    expect(await none.run()).toMatchObject({ code: 2, stderr: expect.stringContaining('is no data folder') })
    const dataFolder = await closedDataFolder(async () => {})
    await mkdir(join(dataFolder, 'partial/x.stage'))
    const unsettled = await openMigration(dataFolder, place)
    expect(await unsettled.run()).toMatchObject({ code: 2, stderr: expect.stringContaining('--fix" first') })
    await rm(join(dataFolder, 'partial/x.stage'), { recursive: true })
    await writeFile(join(dataFolder, 'accounts.json'), '{"accounts":[]}')
    expect(await unsettled.run()).toMatchObject({ code: 2, stderr: expect.stringContaining('has no account') })
    const { code, stderr } = await unsettled.client.run(['migrate', '--data', dataFolder])
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--database and --bucket') })
  })

  it('refuses a database with other data: of servers, or of another folder', async () => {
    const dataFolder = await closedDataFolder((server) => fillAccount(server, 'ann'))
    const used = await emptyPlace()
    await startCluster(1, { place: used })
    const migration = await openMigration(dataFolder, used)
    expect(await migration.run()).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('in use: it has 1 accounts'),
    })
    const place = await emptyPlace()
    expect(await (await openMigration(dataFolder, place)).run()).toMatchObject({ code: 0 })
    const other = await openMigration(await closedDataFolder(async () => {}), place)
    expect(await other.run()).toMatchObject({ code: 6, stderr: expect.stringContaining('from another data folder') })
  })
})

/** Every object of the bucket is a row, and every row of an object is that of a file or of garbage. */
async function expectWhole({ database, prefix }: ClusterPlace, accounts: number): Promise<void> {
  const sql = database.connect()
  const rows = await sql<{ key: string; state: string; isNamed: boolean }[]>`
    select key, state, exists (select from files where files.content = objects.content) as is_named from objects`
  for (const { state, isNamed } of rows) expect([state, isNamed]).toEqual(isNamed ? ['live', true] : ['garbage', false])
  const live = rows.flatMap(({ key, isNamed }) => (isNamed ? key : []))
  // Three files of each account have bytes in one object, and one in two.
  expect(new Set(live).size).toBeGreaterThanOrEqual(accounts)
  const keys = openTestBucket({ prefix }).keys()
  expect(keys.filter((key) => !rows.some((row) => row.key === key))).toEqual([])
  expect(live.filter((key) => !keys.includes(key))).toEqual([])
}

/** What a server says that does not start. */
async function startRefused(place: ClusterPlace): Promise<string> {
  const client = await openClient()
  const { code, stderr } = await client.run(['serve', '--port', '0', '--data', `${client.home}/data`], {
    env: placeVariables(place),
  })
  expect(code).toBe(5)
  return stderr
}

/** What an account sees. Only in a bucket a file that was added by hand has a digest. */
async function readAll(caller: Caller): Promise<string> {
  const paths = ['/files?limit=1000', '/jobs', '/auth/sessions', '/shares', '/auth/me']
  const empty = await caller.call('/files?folders=empty', { headers: { Accept: 'application/x-ndjson' } })
  const answers = [empty, ...(await Promise.all(paths.map((path) => caller.call(path))))]
  for (const { status } of answers) expect(status).toBe(200)
  const text = answers.map(({ body }) => String(body)).join('\n')
  const variable = [
    /(?<="lastUsedAt":)"[^"]*"/g,
    /(?<=file.csv","size":4,"sha256":)[^,]*/g,
    new RegExp(caller.url, 'g'),
  ]
  return variable.reduce((rest, pattern) => rest.replaceAll(pattern, ''), text)
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
