import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { faultOfName } from '../../../dist/protocol/file-name.js'
import type { Folders, LevelQuery } from '../../../dist/server/stores/folders.js'
import { eventually } from '../../helpers/eventually.js'
import { checkAsync } from '../../helpers/properties.js'
import { ann, bob, type FileStores, names, publish, read, sha256 } from './stored-content.js'

/** What every store of folders owes its callers. `open` gives an empty one. */
export function foldersContract(open: () => Promise<FileStores>): void {
  let stores: FileStores
  let folders: Folders
  beforeEach(async () => {
    stores = await open()
    folders = stores.folders
  })
  const levelOf = (query: Partial<LevelQuery> = {}, space = ann) => folders.list(space, { ...byName, ...query })
  const countedLevel = (query: Partial<LevelQuery> = {}) =>
    eventually('the counts of a level', async () => {
      const level = await levelOf(query)
      return [level.totals, ...level.folders].some(({ bytes }) => bytes === null) ? undefined : level
    })
  const shown = async (query: Partial<LevelQuery> = {}) => {
    const level = await levelOf(query)
    return [...level.folders, ...level.files].map(({ name }) => name)
  }
  const put = (name: string, content = 'x') => publish(stores, name, content)

  describe('one level of a space', () => {
    it('has its folders before its files, each folder with what is below it', async () => {
      for (const name of ['b', 'a/1', 'a/deep/er/2', 'a.txt', 'c/3']) await put(name, '12345')
      const level = await countedLevel()
      expect(level.folders).toMatchObject([
        { name: 'a/', files: 2, bytes: 10 },
        { name: 'c/', files: 1, bytes: 5 },
      ])
      expect(Math.abs(Date.parse(level.folders[0]!.modifiedAt) - Date.now())).toBeLessThan(3_600_000)
      expect(level.files).toEqual([await stores.files.find(ann, 'a.txt'), await stores.files.find(ann, 'b')])
      expect(level).toMatchObject({ totals: { files: 2, folders: 2, bytes: 25 }, next: null })
      expect(await shown({ prefix: 'a/' })).toEqual(['a/deep/', 'a/1'])
      expect(await shown({ prefix: 'a/deep/er/' })).toEqual(['a/deep/er/2'])
    })

    it('is empty for a missing folder, a file, an invalid name and another account', async () => {
      await put('a/b')
      for (const prefix of ['x/', 'a/b/', '../ann/', 'a/../a/', '/', 'a//']) {
        expect(await levelOf({ prefix })).toEqual({ folders: [], files: [], totals: noTotals, next: null })
      }
      expect(await folders.list(bob, byName)).toMatchObject({ folders: [], files: [] })
    })

    it('can be limited to a prefix of its names, and to names that contain a text', async () => {
      for (const name of ['dir/IMG_1', 'dir/IMG_2', 'dir/img/3', 'dir/other', 'IMG_4']) await put(name, '123')
      expect(await shown({ prefix: 'dir/IMG' })).toEqual(['dir/IMG_1', 'dir/IMG_2'])
      expect(await shown({ prefix: 'dir/', search: 'img' })).toEqual(['dir/img/', 'dir/IMG_1', 'dir/IMG_2'])
      expect((await countedLevel({ prefix: 'dir/', search: 'IMG' })).totals).toEqual({ files: 2, folders: 1, bytes: 9 })
    })

    it('is sorted by size, by date and by name, both ways', async () => {
      for (const [name, content] of [
        ['b', '333'],
        ['a', '22'],
        ['d/x', '1'],
        ['c', '22'],
      ] as const)
        await put(name, content)
      expect(await shown({ sort: 'size' })).toEqual(['d/', 'a', 'c', 'b'])
      expect(await shown({ sort: 'size', order: 'desc' })).toEqual(['d/', 'b', 'c', 'a'])
      expect(await shown({ sort: 'date' })).toEqual(['d/', 'b', 'a', 'c'])
      expect(await shown({ sort: 'date', order: 'desc' })).toEqual(['d/', 'c', 'a', 'b'])
      expect(await shown({ order: 'desc' })).toEqual(['d/', 'c', 'b', 'a'])
    })

    it('is sorted by numbers in names and without case on request', async () => {
      for (const name of ['img10', 'img9', 'IMG2', 'img09', 'x/1']) await put(name)
      expect(await shown()).toEqual(['x/', 'IMG2', 'img09', 'img10', 'img9'])
      expect(await shown({ natural: true })).toEqual(['x/', 'IMG2', 'img09', 'img9', 'img10'])
      expect(await shown({ natural: true, ignoreCase: true })).toEqual(['x/', 'IMG2', 'img09', 'img9', 'img10'])
      expect(await shown({ ignoreCase: true })).toEqual(['x/', 'img09', 'img10', 'IMG2', 'img9'])
    })

    it('has each entry on one page, in any order, while entries come and go between the pages', async () => {
      const segment = fc.string({ unit: fc.constantFrom(...'abAB019.é'), minLength: 1, maxLength: 3 })
      const entry = fc
        .tuple(segment, fc.boolean())
        .map(([name, isFolder]) => (isFolder ? `${name}/x` : name))
        .filter((name) => faultOfName(name) === undefined)
      const order = fc.record({
        sort: fc.constantFrom('name' as const, 'size' as const, 'date' as const),
        order: fc.constantFrom('asc' as const, 'desc' as const),
        natural: fc.boolean(),
        ignoreCase: fc.boolean(),
        limit: fc.integer({ min: 1, max: 3 }),
      })
      let run = 0
      await checkAsync(
        fc.asyncProperty(fc.uniqueArray(entry, { maxLength: 7 }), order, fc.nat(6), async (all, query, gone) => {
          const space = { role: 'user', username: `level-${run++}` }
          const kept = new Set<string>()
          for (const [at, name] of all.entries()) {
            const publishing = publish(stores, name, 'x'.repeat(at % 3), { space })
            await publishing.then(
              () => kept.add(name),
              (error) => expect(error).toMatchObject({ code: 'name-conflict' }),
            )
          }
          const seen: string[] = []
          let cursor: string | undefined
          do {
            const level = await folders.list(space, { ...byName, ...query, cursor })
            seen.push(...level.folders.map(({ name }) => name), ...level.files.map(({ name }) => name))
            cursor = level.next ?? undefined
            const victim = [...kept][gone]
            if (cursor && victim) {
              await stores.files.remove(space, victim)
              kept.delete(victim)
            }
          } while (cursor)
          expect(new Set(seen).size).toBe(seen.length)
          for (const name of kept) expect(seen).toContain(name.replace(/\/x$/, '/'))
        }),
        25,
      )
    })

    it('refuses the cursor of another order', async () => {
      for (const name of ['a', 'b']) await put(name)
      const { next } = await levelOf({ limit: 1 })
      expect(await shown({ cursor: next! })).toEqual(['b'])
      for (const query of [{ cursor: next!, sort: 'size' as const }, { cursor: 'x' }, { cursor: '' }]) {
        await expect(levelOf(query)).rejects.toMatchObject({ code: 'invalid-request' })
      }
    })
  })

  describe('the records of all files with a prefix', () => {
    it('are lines of JSON in the order of the names, after any of them', async () => {
      for (const name of ['b', 'a/2', 'a/1', 'a.txt', 'ä']) await put(name, name)
      const records = async (query = { prefix: '', after: '' }) => {
        const { lines, last } = await folders.records(ann, query)
        expect(last).toBeNull()
        return Buffer.from(lines)
          .toString()
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line))
      }
      expect((await records()).map(({ name }) => name)).toEqual(['a.txt', 'a/1', 'a/2', 'b', 'ä'])
      const { name, size, sha256, type, uploadedAt } = (await stores.files.find(ann, 'a/2'))!
      expect(await records({ prefix: 'a/', after: 'a/1' })).toEqual([{ name, size, sha256, type, uploadedAt }])
      expect(await records({ prefix: 'x', after: '' })).toEqual([])
    })
  })

  describe('a created folder', () => {
    it('is kept while it is empty, also after a restart, until it is removed', async () => {
      expect(await folders.create(ann, 'a/b/')).toBe(true)
      expect(await folders.create(ann, 'a/b/')).toBe(false)
      expect([await folders.exists(ann, 'a/b/'), await folders.exists(bob, 'a/b/')]).toEqual([true, false])
      await put('a/b/c')
      await stores.files.remove(ann, 'a/b/c')
      const again = await stores.restart()
      expect((await again.folders.list(ann, byName)).folders).toMatchObject([{ name: 'a/' }])
      expect((await again.folders.list(ann, { ...byName, prefix: 'a/' })).folders).toMatchObject([{ name: 'a/b/' }])
      expect(await names(again.files)).toEqual([])
      expect(await again.folders.remove(ann, 'a/b/')).toBe(true)
      // Nothing was said of a/.
      expect((await again.folders.list(ann, byName)).folders).toEqual([])
    })

    it('stays kept when it is moved, and one that exists is kept from then on', async () => {
      await put('a/b')
      expect(await folders.create(ann, 'a/')).toBe(false)
      await folders.move(ann, 'a/', 'c/')
      await stores.files.remove(ann, 'c/b')
      expect(await shown()).toEqual(['c/'])
    })

    it('conflicts with a file of its name, or of one of its folders', async () => {
      await put('a')
      for (const folder of ['a/', 'a/b/']) {
        await expect(folders.create(ann, folder)).rejects.toMatchObject({ code: 'name-conflict' })
      }
      await folders.create(ann, 'b/')
      await expect(put('b')).rejects.toMatchObject({ code: 'name-conflict' })
    })
  })

  describe('a folder that is removed', () => {
    it('only if it is empty stays while anything is in it', async () => {
      await put('a/b/c')
      await folders.create(ann, 'a/d/')
      const onlyEmpty = { onlyEmpty: true }
      await expect(folders.remove(ann, 'a/', onlyEmpty)).rejects.toMatchObject({ code: 'name-conflict' })
      expect(await folders.remove(ann, 'a/d/', onlyEmpty)).toBe(true)
      expect(await folders.remove(ann, 'a/d/', onlyEmpty)).toBe(false)
      expect(await shown({ prefix: 'a/' })).toEqual(['a/b/'])
    })

    it('is gone with everything in it, and frees its bytes at once', async () => {
      for (const name of ['a/1', 'a/b/c/2', 'ab', 'a.txt']) await put(name, '12345')
      expect(await stores.files.usage(ann)).toBe(20)
      expect(await folders.remove(ann, 'a/')).toBe(true)
      expect(await stores.files.usage(ann)).toBe(10)
      expect(await names(stores.files)).toEqual(['a.txt', 'ab'])
      expect(await folders.remove(ann, 'a/')).toBe(false)
      expect(await folders.remove(bob, 'a/')).toBe(false)
      expect(await folders.remove(ann, 'ab/')).toBe(false)
      await put('a', 'now a file')
    })

    it('is left alone where a precondition is false', async () => {
      await put('a/b')
      const other = folders.remove(ann, 'a/', { precondition: { ifMatch: ['"other"'] } })
      await expect(other).rejects.toMatchObject({ code: 'precondition-failed' })
      expect(await folders.remove(ann, 'a/', { precondition: { ifMatch: '*' } })).toBe(true)
    })

    it('has no file of an upload that was published before it, and has those published after it', async () => {
      for (let round = 0; round < 5; round++) {
        await put('a/first')
        const results = await Promise.allSettled([
          put(`a/b/one-${round}`),
          folders.remove(ann, 'a/'),
          put(`a/b/two-${round}`),
          put(`c-${round}`),
        ])
        expect(results.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
        const left = await names(stores.files)
        expect(left).toContain(`c-${round}`)
        expect(left).not.toContain('a/first')
        for (const name of left) expect((await stores.files.find(ann, name))?.sha256).toBe(sha256('x'))
        for (const name of left) await stores.files.remove(ann, name)
      }
    })
  })

  describe('a folder that is moved', () => {
    it('keeps names, bytes, digests and types of everything in it', async () => {
      for (const name of ['a/1', 'a/b/c/2', 'a/ä/3', 'other']) await put(name, name)
      const before = await stores.files.find(ann, 'a/b/c/2')
      await folders.move(ann, 'a/', 'x/y/')
      expect(await names(stores.files)).toEqual(['other', 'x/y/1', 'x/y/b/c/2', 'x/y/ä/3'])
      expect(await stores.files.find(ann, 'x/y/b/c/2')).toEqual({ ...before, name: 'x/y/b/c/2' })
      expect(await read(stores.files, 'x/y/ä/3')).toBe('a/ä/3')
      expect(await shown()).toEqual(['x/', 'other'])
      const again = await stores.restart()
      expect((await again.files.find(ann, 'x/y/1'))?.sha256).toBe(sha256('a/1'))
    })

    it('is refused into itself, onto what exists, below a file, and if it is missing', async () => {
      for (const name of ['a/1', 'b/1', 'c']) await put(name, name)
      for (const to of ['a/', 'a/b/', 'b/', 'c/', 'c/d/']) {
        await expect(folders.move(ann, 'a/', to)).rejects.toMatchObject({ code: 'name-conflict' })
      }
      for (const from of ['x/', 'c/']) {
        await expect(folders.move(ann, from, 'y/')).rejects.toMatchObject({ code: 'file-not-found' })
      }
      const other = folders.move(ann, 'a/', 'y/', { ifMatch: ['"other"'] })
      await expect(other).rejects.toMatchObject({ code: 'precondition-failed' })
      expect(await names(stores.files)).toEqual(['a/1', 'b/1', 'c'])
    })

    it('is refused if a name in it became too long', async () => {
      const long = Array.from({ length: 4 }, () => 'l'.repeat(200)).join('/')
      await put(`a/${long}`)
      const too = `${'t'.repeat(225)}/`
      await expect(folders.move(ann, 'a/', too)).rejects.toMatchObject({ code: 'name-conflict' })
      await folders.move(ann, 'a/', `${'t'.repeat(100)}/`)
      expect(await names(stores.files)).toEqual([`${'t'.repeat(100)}/${long}`])
    })

    it('loses no file that is published, moved or listed meanwhile', async () => {
      for (let round = 0; round < 5; round++) {
        await put('a/first', 'first')
        const [, , , listed] = await Promise.all([
          put('a/b/one', 'one'),
          folders.move(ann, 'a/', 'b/'),
          put('a/b/two', 'two'),
          names(stores.files),
          folders.move(ann, 'b/', 'c/').catch((error) => expect(error).toMatchObject({ code: 'file-not-found' })),
        ])
        expect(new Set(listed.map((name) => name.split('/').at(-1))).size).toBe(listed.length)
        const left = await names(stores.files)
        expect(left.map((name) => name.split('/').at(-1)).sort()).toEqual(['first', 'one', 'two'])
        for (const name of left) {
          expect((await stores.files.find(ann, name))?.sha256).toBe(sha256(name.split('/').at(-1)!))
          await stores.files.remove(ann, name)
        }
      }
    })

    it('is at one place for whoever finds, counts or lists what is in it meanwhile', async () => {
      const all = Array.from({ length: 300 }, (_, index) => `${index}`)
      for (const name of all) await put(`a/${name}`, 'x')
      await folders.create(ann, 'a/empty/')
      const named = ['a/', 'b/'].flatMap((folder) => all.map((name) => folder + name))
      for (let round = 0; round < 10; round++) {
        const [from, to] = round % 2 === 0 ? ['a/', 'b/'] : ['b/', 'a/']
        const moved = (async () => {
          // After the reads have begun.
          await stores.files.find(ann, 'other')
          await folders.move(ann, from!, to!)
        })()
        const [found, count, empty] = await Promise.all([
          stores.files.findMany(ann, named),
          stores.files.measure(ann, ''),
          stores.files.listEmptyFolders(ann, { prefix: '', after: '', limit: 10 }),
          moved,
        ])
        expect(found.filter(Boolean)).toHaveLength(all.length)
        expect(count.files).toBe(all.length)
        expect(empty).toHaveLength(1)
      }
    })

    it('can swap its name with others, names with different case and in different scripts included', async () => {
      for (const name of ['Photos/1', 'photos/1', 'фото/1', 'a.json/1', 'a/1', 'a.d/1']) await put(name, name)
      for (const [from, to] of [
        ['Photos/', 'swap/'],
        ['photos/', 'Photos/'],
        ['swap/', 'photos/'],
        ['a.json/', 'a.x/'],
      ]) {
        await folders.move(ann, from!, to!)
      }
      expect(await read(stores.files, 'Photos/1')).toBe('photos/1')
      const found = await stores.files.list(ann, { prefix: '', after: '', limit: 10 })
      for (const { sha256: digest, name } of found) expect(digest, name).toBe(sha256(await read(stores.files, name)))
    })
  })

  it('a folder that grows is counted anew', async () => {
    await put('a/b/1', '123')
    expect((await countedLevel()).folders).toMatchObject([{ files: 1, bytes: 3 }])
    await put('a/b/2', '45')
    await eventually('the new count', async () => (await levelOf()).folders[0]!.bytes === 5 || undefined)
  })
}

const noTotals = { files: 0, folders: 0, bytes: 0 }
export const byName: LevelQuery = {
  prefix: '',
  search: '',
  sort: 'name',
  order: 'asc',
  natural: false,
  ignoreCase: false,
  cursor: undefined,
  limit: 1000,
}
