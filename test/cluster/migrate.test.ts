import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
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
    await expectWhole(place)
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

  it('names damaged files and imports, and what is not served, and does not finish unless it is told to', async () => {
    const dataFolder = await closedDataFolder(async (server) => {
      const ann = await fillAccount(server, 'ann')
      await makeTable(ann, 'sales', 'city,sales\nRome,1\n')
    })
    const restored = await temporaryFolder()
    execFileSync('cp', ['-a', `${dataFolder}/.`, restored])
    const folder = join(restored, 'uploads/user/ann')
    const table = join(restored, 'tables/user/ann/sales')
    const parquet = join(table, (await readdir(table)).find((name) => name.endsWith('.parquet'))!)
    await chmod(parquet, 0o600)
    const damaged = [parquet, join(folder, 'sub/large.bin'), join(folder, 'sub/small.txt')]
    for (const path of damaged) damageFile(path)
    await symlink('empty', join(folder, 'link'))
    await writeFile(join(restored, 'partial/left.bin'), 'x')
    const place = await emptyPlace()
    const migration = await openMigration(restored, place)
    const { code, report } = await migration.run()
    expect({ code, report }).toMatchObject({
      code: 8,
      report: { isFinished: false, files: 4, tables: 0, leftOut: { unserved: [{ path: join(folder, 'link') }] } },
    })
    const names = report.failed.map(({ path, why }: { path: string; why: string }) => [path, why.slice(0, 15)]).sort()
    expect(names).toEqual(damaged.map((path) => [path, 'its SHA-256 is ']))
    const words = await migration.client.run(migration.args.slice(0, -1), { env: migration.env })
    expect(words).toMatchObject({ code: 8, stdout: expect.stringContaining('Not moved: 1 unfinished upload.') })
    expect(words.stdout).toContain('run it with --leave-out')
    expect(await startRefused(place)).toContain('run "filejobs migrate" to its end first')
    for (const path of damaged) await rm(path)
    await rm(table, { recursive: true })
    expect(await migration.run()).toMatchObject({ code: 1, report: { failed: [], isFinished: false } })
    expect(await migration.run('--leave-out')).toMatchObject({ code: 0, report: { isFinished: true } })
    await startCluster(1, { place })
    await expectWhole(place)
  })

  it('moves tables with their ids and dates, and sends no import twice', async () => {
    let before = ''
    let token = ''
    const paths = ['/tables', '/tables/sales', '/tables/sales/rows', '/tables/other/rows']
    const readTables = async (caller: Caller) => {
      const answers = await Promise.all(paths.map((path) => caller.call(path)))
      return answers.map(({ status, body }) => `${status} ${body}`).join('\n')
    }
    const dataFolder = await closedDataFolder(async (server) => {
      const ann = new Caller(server, await server.logIn('ann'))
      for (const name of ['sales', 'sales', 'other', 'gone']) await makeTable(ann, name, 'city,sales\nRome,1\n')
      await ann.call('/tables/gone', { method: 'DELETE' })
      before = await readTables(ann)
      await makeTable(ann, 'gone', 'city,sales\nRome,1\n')
      token = ann.token
    })
    const place = await emptyPlace()
    const migration = await openMigration(dataFolder, place)
    expect(await migration.run()).toMatchObject({ code: 0, report: { tables: 3, imports: 4, failed: [] } })
    const contents = () => place.database.connect()`select id, content from imports order by id`
    const sent = await contents()
    await rm(join(dataFolder, 'tables/user/ann/gone'), { recursive: true })
    expect(await migration.run()).toMatchObject({ code: 0, report: { tables: 2, imports: 3 } })
    expect(await contents()).toEqual(sent.slice(0, 3))
    await expectWhole(place)
    const { servers } = await startCluster(1, { place })
    const ann = new Caller(servers[0]!, token)
    expect(await readTables(ann)).toBe(before)
    expect(before).toMatch(/^200 [\s\S]*Rome/)
    expect(await makeTable(ann, 'next', 'city\nRome\n')).toMatchObject({ id: 6 })
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

/** Every file has its bytes, every object is a row, and every row of an object is that of a file, an import or garbage. */
async function expectWhole(place: ClusterPlace): Promise<void> {
  const client = await openClient()
  const { code, stdout } = await client.run(['doctor', '--json', '--verify'], { env: placeVariables(place) })
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, damaged: [], orphans: [] })
  const sql = place.database.connect()
  const rows = await sql<{ state: string; isNamed: boolean }[]>`
    select state, content in (select content from files union all select content from imports) as is_named from objects`
  for (const { state, isNamed } of rows) expect(state).toBe(isNamed ? 'live' : 'garbage')
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
