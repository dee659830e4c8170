import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { makeTable } from '../helpers/tables.js'
import { idOf, Tus } from '../helpers/tus.js'
import { closedDataFolder, contentsOf, expectWhole, fillAccount, openMigration } from './helpers/data-folders.js'
import { emptyPlace, hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('filejobs migrate', () => {
  it('moves accounts, files, folders, links, sessions and the history, and leaves the folder as it is', async () => {
    const callers: Caller[] = []
    const before: unknown[] = []
    let share: { url: string } | undefined
    let guarded: { url: string } | undefined
    let invitation: { url: string } | undefined
    let seen: string[] = []
    const dataFolder = await closedDataFolder(async (server) => {
      for (const username of ['ann', 'bob']) callers.push(await fillAccount(server, username))
      await callers[0]!.call('/files/kept/empty/', { method: 'PUT' })
      share = (await callers[0]!.post('/shares', { filename: 'sub/small.txt', expiresIn: 3600 })).json
      const terms = { password: 'the password', maxDownloads: 2, note: 'a note' }
      guarded = (await callers[0]!.post('/shares', { filename: 'sub/small.txt', expiresIn: 3600, ...terms })).json
      const admin = new Caller(server, await server.logIn('admin', 'admin'))
      await server.logIn('gone')
      await admin.call('/accounts/user:gone', { method: 'DELETE' })
      await server.logIn('away')
      await admin.call('/accounts/user:away', { method: 'PATCH', body: { disabled: true, quota: 'none' } })
      await admin.call('/accounts/user:ann', { method: 'PATCH', body: { quota: 5 * 1024 ** 3 } })
      invitation = (await admin.post('/accounts/user:bob/invitation', {})).json
      seen = (await admin.call('/accounts')).json.accounts.map(({ lastSeenAt }: { lastSeenAt: string }) => lastSeenAt)
      for (const caller of callers) before.push(await readAll(caller))
    })
    const untouched = contentsOf(dataFolder)
    const place = await emptyPlace()
    const migration = await openMigration(dataFolder, place)
    const { code, report, stderr } = await migration.run()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(report).toMatchObject({ accounts: 4, sessions: 3, shares: 2, files: 10, failed: [], isFinished: true })
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
    const { accounts } = (await admin.call('/accounts')).json
    const quotas = accounts.map(({ username, quota }: { username: string; quota: unknown }) => [username, quota])
    const seenNow = accounts.map(({ lastSeenAt }: { lastSeenAt: string }) => lastSeenAt)
    expect(seenNow[3]).toBe(seen[3])
    expect(seenNow.every((at: string, index: number) => at >= seen[index]!)).toBe(true)
    const accepted = await anybody.post(pathOf(invitation!.url), { password: 'a newer horse' })
    expect(accepted).toMatchObject({ status: 200, json: { account: 'user:bob' } })
    expect(Object.fromEntries(quotas)).toEqual({ admin: null, ann: 5 * 1024 ** 3, bob: null, away: 'none' })
    expect(String((await anybody.call(pathOf(share!.url))).body)).toBe('small')
    const withPassword = { headers: { Authorization: `Basic ${btoa(':the password')}` } }
    expect((await anybody.call(pathOf(guarded!.url))).status).toBe(401)
    expect(String((await anybody.call(pathOf(guarded!.url), withPassword)).body)).toBe('small')
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

  it('moves unfinished uploads, which their clients continue', async () => {
    const content = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))
    let path = ''
    const dataFolder = await closedDataFolder(async (server) => {
      const tus = new Tus(new Caller(server, await server.logIn('ann')))
      path = await tus.begin({ name: 'half.bin', length: content.length, metadata: { own: 'ü' } })
      await tus.patch(path, 0, content.subarray(0, 40_000))
    })
    const place = await emptyPlace()
    const migration = await openMigration(dataFolder, place)
    for (let run = 1; run <= 2; run++) {
      expect(await migration.run()).toMatchObject({ code: 0, report: { unfinishedUploads: 1, failed: [] } })
    }
    const { servers } = await startCluster(2, { place })
    const credentials = { username: 'ann', password: 'correct horse' }
    const { json } = await new Caller(servers[0]!, '').post('/auth/login', credentials)
    const [here, there] = servers.map((server) => new Tus(new Caller(server, json.token)))
    expect(await here!.caller.job(idOf(path))).toMatchObject({ state: 'interrupted', bytes: 40_000, percent: 40 })
    const { headers } = await there!.head(path)
    expect(headers).toMatchObject({ 'upload-offset': '40000', 'upload-length': '100000' })
    expect(headers['upload-metadata']).toContain('own w7w=')
    expect((await here!.patch(path, 40_000, content.subarray(40_000))).status).toBe(204)
    expect((await there!.caller.call('/files/half.bin')).body.equals(content)).toBe(true)
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
})

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
    // Of the disk.
    /(?<="free":)\w+/g,
    new RegExp(caller.url, 'g'),
  ]
  return variable.reduce((rest, pattern) => rest.replaceAll(pattern, ''), text)
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
