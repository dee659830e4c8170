import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { onlyLocal } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { canMount, startOnSmallDisk } from '../../helpers/small-disk.js'
import { partialNames } from '../../helpers/stored-state.js'
import { makeTable, requestImport } from '../../helpers/tables.js'

const MiB = 1024 ** 2

describe('the quota of an account', () => {
  const shared = shareServer({ quota: 4 * MiB })
  const filename = 'a.csv'

  it('includes tables: an import that would exceed it fails, and leaves nothing', async () => {
    const ann = await shared.newCaller()
    await ann.put('ballast', Buffer.alloc(2 * MiB))
    await ann.put(filename, incompressible(1.4 * MiB))
    const refused = await requestImport(ann, { filename, table: 'a' })
    expect(refused).toMatchObject({ status: 413, json: { code: 'quota-exceeded', job: { state: 'failed' } } })
    expect(refused.json.used).toBeGreaterThan(3.3 * MiB)
    expect((await ann.call('/tables')).json.tables).toEqual([])
    expect(await partialNames(shared.server.dataFolder)).toEqual([])
    await ann.call('/files/ballast', { method: 'DELETE' })
    expect((await requestImport(ann, { filename, table: 'a' })).status).toBe(200)
  })

  it('of its own goes before that of the server for tables, too', async () => {
    const [cid, admin] = [await shared.newCaller(), await shared.admin()]
    const path = `/accounts/${(await cid.call('/auth/me')).json.account}`
    const setQuota = (quota: number | 'none') => admin.call(path, { method: 'PATCH', body: { quota } })
    await cid.put(filename, 'name,n\nann,1\n')
    await setQuota(100)
    const refused = await requestImport(cid, { filename, table: 'a' })
    expect(refused).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    await setQuota('none')
    await cid.put('ballast', Buffer.alloc(5 * MiB))
    expect((await requestImport(cid, { filename, table: 'a' })).status).toBe(200)
    expect((await cid.call('/auth/me')).json.space.used).toBeGreaterThan(5 * MiB + 13)
  })

  it('includes tables for uploads, too, until they are removed', async () => {
    const bob = await shared.newCaller()
    await makeTable(bob, 'a', incompressible(1.4 * MiB))
    const body = Buffer.alloc(2 * MiB)
    expect(await bob.put('b', body)).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    await bob.call('/tables/a', { method: 'DELETE' })
    expect((await bob.put('b', body)).status).toBe(201)
  })
})

onlyLocal('a bucket has no disk that fills', () => {
  describe.skipIf(!canMount)('an import that fills the disk', () => {
    it.each([
      ['by its Parquet file', {}],
      ['by its copy without the bad lines', { skipBadLines: true }],
      ['by its decompressed text', {}, gzipSync],
    ])(
      '%s is answered 507, publishes no row, and frees its space',
      async (_, csvOptions, compress?: typeof gzipSync) => {
        const { ann, fill, partials } = await startOnSmallDisk()
        const filename = 'a.csv'
        await ann.put(filename, compress ? compress(incompressible(5 * MiB)) : incompressible(5 * MiB))
        await fill(12 * MiB)
        const refused = await requestImport(ann, { filename, table: 'a', ...csvOptions })
        expect(refused).toMatchObject({ status: 507, json: { code: 'disk-full', job: { state: 'failed' } } })
        expect(await partials()).toEqual([])
        expect((await ann.call('/tables')).json.tables).toEqual([])
        await fill(0)
        expect((await requestImport(ann, { filename, table: 'a', ...csvOptions })).status).toBe(200)
      },
    )
  })
})

/** A CSV of one column of so many bytes, of which no compression makes less than three quarters. */
function incompressible(bytes: number): string {
  const lines = Array.from({ length: Math.floor(bytes / 65) }, () => `${randomBytes(48).toString('base64')}\n`)
  return `text\n${lines.join('')}`
}
