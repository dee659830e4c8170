import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { damageFile } from '../helpers/damage.js'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { startTestServer } from '../helpers/server.js'
import { makeTable } from '../helpers/tables.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { Tus } from '../helpers/tus.js'
import { startBucketProxy } from './helpers/bucket-proxy.js'
import { closedDataFolder, expectWhole, fillAccount, openMigration } from './helpers/data-folders.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { type ClusterPlace, emptyPlace, hasCluster, placeVariables, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('filejobs migrate', () => {
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

  it('names damaged files and imports, and what is not served, and does not finish unless it is told to', async () => {
    const dataFolder = await closedDataFolder(async (server) => {
      const ann = await fillAccount(server, 'ann')
      await makeTable(ann, 'sales', 'city,sales\nRome,1\n')
      const path = await new Tus(ann).begin({ name: 'half.bin', length: 100 })
      await new Tus(ann).patch(path, 0, Buffer.alloc(40))
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
      report: {
        isFinished: false,
        files: 4,
        tables: 0,
        leftOut: { unserved: [{ path: join(folder, 'link') }] },
        unfinishedUploads: 1,
      },
    })
    const names = report.failed.map(({ path, why }: { path: string; why: string }) => [path, why.slice(0, 15)]).sort()
    expect(names).toEqual(damaged.map((path) => [path, 'its SHA-256 is ']))
    const words = await migration.client.run(migration.args.slice(0, -1), { env: migration.env })
    expect(words).toMatchObject({
      code: 8,
      stdout: expect.stringContaining('Clients can continue 1 unfinished upload.'),
    })
    expect(words.stdout).toContain('run it with --leave-out')
    expect(await startRefused(place)).toContain('run "filejobs migrate" to its end first')
    for (const path of damaged) await rm(path)
    await rm(table, { recursive: true })
    expect(await migration.run()).toMatchObject({ code: 1, report: { failed: [], isFinished: false } })
    expect(await migration.run('--leave-out')).toMatchObject({ code: 0, report: { isFinished: true } })
    await startCluster(1, { place })
    await expectWhole(place)
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

  it('says that it can be repeated when the database breaks off', async () => {
    const dataFolder = await closedDataFolder((server) => fillAccount(server, 'ann'))
    const place = await emptyPlace()
    const [bucket, database] = [await startBucketProxy(), await startDatabaseProxy(place.database.url)]
    const addresses = { bucketOrigin: bucket.origin, databaseUrl: database.url }
    const migration = await openMigration(dataFolder, place, addresses)
    bucket.holdAt(1)
    const running = migration.start()
    await eventually('files are being sent', () => bucket.isHolding)
    database.isOpen = false
    database.cut()
    bucket.release()
    const code = await running.ended()
    const words = /^Error: The database has failed \(.+\)\. Run it again: what has arrived stays\.\n$/
    expect([code, running.stderr]).toEqual([5, expect.stringMatching(words)])
    database.isOpen = true
    expect(await migration.run()).toMatchObject({ code: 0, report: { files: 5, isFinished: true } })
    await expectWhole(place)
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

/** What a server says that does not start. */
async function startRefused(place: ClusterPlace): Promise<string> {
  const client = await openClient()
  const { code, stderr } = await client.run(['serve', '--port', '0', '--data', `${client.home}/data`], {
    env: placeVariables(place),
  })
  expect(code).toBe(5)
  return stderr
}
