import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LevelQuery } from '../../../../dist/server/stores/folders.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { byName, foldersContract } from '../folders-contract.js'
import { ann, names } from '../stored-content.js'
import { openStores } from './open-stores.js'

describe('the local folders', () => {
  foldersContract(openStores)

  it('list 10,000 files of one folder in pages, each once, in any order', async () => {
    const { data, folders } = await openStores()
    const path = join(data, 'uploads/user/ann/big')
    mkdirSync(path, { recursive: true })
    for (let at = 0; at < 10_000; at++) writeFileSync(join(path, `f${at}`), 'x'.repeat(at % 7))
    const orders: Partial<LevelQuery>[] = [{ natural: true }, { sort: 'size', order: 'desc' }]
    for (const order of orders) {
      const seen: { name: string; size: number }[] = []
      let cursor: string | undefined
      do {
        const page = await folders.list(ann, { ...byName, ...order, prefix: 'big/', cursor })
        expect(page.totals.files).toBe(10_000)
        seen.push(...page.files)
        cursor = page.next ?? undefined
      } while (cursor)
      expect(new Set(seen.map(({ name }) => name)).size).toBe(10_000)
      if (order.natural) expect(seen.map(({ name }) => name)).toEqual(seen.map((_, at) => `big/f${at}`))
      else expect(seen.map(({ size }) => size)).toEqual(seen.map(({ size }) => size).sort((a, b) => b - a))
    }
  })

  it('are listed, moved and removed at any depth that a name can have', async () => {
    const { files, folders } = await openStores()
    const deep = 'd/'.repeat(500)
    expect(await folders.create(ann, deep)).toBe(true)
    expect((await folders.list(ann, { ...byName, prefix: deep.slice(0, -2) })).folders).toMatchObject([{ name: deep }])
    await folders.move(ann, 'd/', 'e/')
    expect(await folders.exists(ann, `e/${deep.slice(2)}`)).toBe(true)
    expect(await folders.remove(ann, 'e/')).toBe(true)
    expect(await names(files)).toEqual([])
  })

  it('do not exist behind symbolic links', async () => {
    const { data, folders } = await openStores()
    const outside = await temporaryFolder()
    await mkdir(join(outside, 'sub'))
    await writeFile(join(outside, 'sub/secret'), 'secret')
    const space = join(data, 'uploads/user/ann')
    await mkdir(space, { recursive: true })
    await symlink(outside, join(space, 'link'))
    for (const prefix of ['', 'link/', 'link/sub/']) {
      expect(await folders.list(ann, { ...byName, prefix })).toMatchObject({ folders: [], files: [] })
    }
    for (const folder of ['link/', 'link/sub/']) {
      expect([await folders.exists(ann, folder), await folders.remove(ann, folder)]).toEqual([false, false])
      await expect(folders.move(ann, folder, 'mine/')).rejects.toMatchObject({ code: 'file-not-found' })
    }
    await expect(folders.create(ann, 'link/new/')).rejects.toMatchObject({ code: 'name-conflict' })
    await folders.create(ann, 'own/')
    await expect(folders.move(ann, 'own/', 'link/own/')).rejects.toMatchObject({ code: 'name-conflict' })
    expect(await readdir(outside, { recursive: true })).toEqual(['sub', 'sub/secret'])
  })
})
