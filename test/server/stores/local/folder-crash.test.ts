import { watch } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../helpers/eventually.js'
import { ann, names, publish, sha256 } from '../stored-content.js'
import { openStores } from './open-stores.js'

const moved = [
  ['uploads/user/ann/a', 'uploads/user/ann/b'],
  ['meta/user/ann/names/a.d', 'meta/user/ann/names/b.d'],
] as const

/** A space with two files, whose folder was being moved when the server was killed: after so many renames. */
async function crashed(renames: number, journal = JSON.stringify(moved)) {
  const stores = await openStores()
  for (const name of ['a/1', 'a/sub/2', 'other']) await publish(stores, name, name)
  await mkdir(join(stores.data, 'meta/renames'))
  await writeFile(join(stores.data, 'meta/renames/x.json'), journal)
  for (const [from, to] of moved.slice(0, renames)) await rename(join(stores.data, from), join(stores.data, to))
  const again = await stores.restart()
  expect(await readdir(join(stores.data, 'meta/renames'))).toEqual([])
  const found = await again.files.list(ann, { prefix: '', after: '', limit: 10 })
  return { again, data: stores.data, found: found.map(({ name, sha256 }) => [name, sha256]) }
}

const before = ['a/1', 'a/sub/2', 'other'].map((name) => [name, sha256(name)])
const after = [
  ['b/1', sha256('a/1')],
  ['b/sub/2', sha256('a/sub/2')],
  ['other', sha256('other')],
]

describe('a folder whose move was interrupted by a crash', () => {
  it('is where it was if nothing was renamed, also with an incomplete journal', async () => {
    expect((await crashed(0)).found).toEqual(before)
    expect((await crashed(0, '[["uploads/us')).found).toEqual(before)
  })

  it.each([1, 2])('is where it was moved to after %i of its renames, with its digests', async (renames) => {
    expect((await crashed(renames)).found).toEqual(after)
  })
})

describe('a removed folder', () => {
  it('is deleted from the disk in the background, and by the next start if a crash came before', async () => {
    const stores = await openStores()
    const partial = join(stores.data, 'partial')
    await publish(stores, 'a/b/c', 'x')
    await stores.folders.remove(ann, 'a/')
    await eventually('the folder is deleted', async () => (await readdir(partial)).length === 0)
    await mkdir(join(partial, 'left.discarded/files/sub'), { recursive: true })
    await writeFile(join(partial, 'left.discarded/files/sub/file'), 'x')
    const { discarded } = await stores.restart()
    expect(await discarded.list()).toEqual([join(partial, 'left.discarded')])
    discarded.sweep()
    await discarded.idle()
    expect(await readdir(partial)).toEqual([])
  })

  it('leaves no metadata to a later folder of the same name', async () => {
    const stores = await openStores()
    await publish(stores, 'a/b', 'x')
    await stores.folders.create(ann, 'a/')
    await stores.folders.remove(ann, 'a/')
    await publish(stores, 'a/c', 'x')
    expect(await readdir(join(stores.data, 'meta/user/ann/names/a.d'))).toEqual(['c.json'])
    await stores.files.remove(ann, 'a/c')
    expect(await names(stores.files)).toEqual([])
    expect(await readdir(join(stores.data, 'uploads/user/ann'))).toEqual([])
    expect(await readdir(join(stores.data, 'meta/user/ann/names'))).toEqual([])
  })
})

describe('the removed space of an account', () => {
  it('is out of reach in one step, and deleted like a removed folder', async () => {
    const stores = await openStores()
    const partial = join(stores.data, 'partial')
    for (const name of ['a/b/c', 'd']) await publish(stores, name, name)
    await stores.folders.create(ann, 'empty/')
    const seen: (string | null)[] = []
    const watcher = watch(partial, (_, name) => seen.push(name))
    onTestFinished(() => watcher.close())
    await stores.files.removeSpace(ann)
    expect(await names(stores.files)).toEqual([])
    for (const folder of ['uploads/user', 'meta/user']) expect(await readdir(join(stores.data, folder))).toEqual([])
    await eventually('it is discarded', () => seen.some((name) => name?.endsWith('.discarded')))
    await eventually('it is deleted', async () => (await readdir(partial)).length === 0)
  })

  it('has no metadata left if a crash came between the renames', async () => {
    const stores = await openStores()
    const { data } = stores
    await publish(stores, 'a/b', 'x')
    const place = 'partial/x.discarded'
    const renames = [
      ['uploads/user/ann', `${place}/files`],
      ['meta/user/ann/names', `${place}/metadata`],
    ]
    await mkdir(join(data, 'meta/renames'))
    await mkdir(join(data, place))
    await writeFile(join(data, 'meta/renames/x.json'), JSON.stringify(renames))
    await rename(join(data, renames[0]![0]!), join(data, renames[0]![1]!))
    const again = await stores.restart()
    expect(await readdir(join(data, 'meta/user/ann'))).toEqual([])
    expect(await names(again.files)).toEqual([])
  })
})
