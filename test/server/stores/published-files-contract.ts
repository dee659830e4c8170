import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { faultOfName } from '../../../dist/protocol/file-name.js'
import type { PublishedFiles, StoredFile } from '../../../dist/server/stores/files.js'
import { checkAsync } from '../../helpers/properties.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { ann, bob, type FileStores, names, publish, read, sha256 } from './stored-content.js'

const signal = new AbortController().signal

/** What every store of published files owes its callers. `open` gives an empty one. */
export function publishedFilesContract(open: () => Promise<FileStores>): void {
  let stores: FileStores
  let files: PublishedFiles
  beforeEach(async () => {
    stores = await open()
    files = stores.files
  })

  describe('a published file', () => {
    it('is found and read with its metadata, by its own account only', async () => {
      const { file, created } = await publish(stores, 'a/b.txt', 'content')
      expect(created).toBe(true)
      expect(file).toMatchObject({ name: 'a/b.txt', size: 7, sha256: sha256('content'), type: 'text/x-test' })
      expect(await files.find(ann, 'a/b.txt')).toEqual(file)
      expect(await read(files, 'a/b.txt')).toBe('content')
      expect(await files.find(bob, 'a/b.txt')).toBeUndefined()
      expect(await files.open(bob, 'a/b.txt')).toBeUndefined()
      expect(await files.remove(bob, 'a/b.txt')).toBe(false)
    })

    it('is preserved by a restart', async () => {
      const { file } = await publish(stores, 'a', 'content')
      const again = await stores.restart()
      expect(await again.files.find(ann, 'a')).toEqual(file)
      expect(await read(again.files, 'a')).toBe('content')
    })

    it('has its own version, even if a replacement has the same bytes', async () => {
      const first = await publish(stores, 'a', 'same')
      const second = await publish(stores, 'a', 'same')
      expect(second.created).toBe(false)
      expect(second.file.entityTag).toBe(first.file.entityTag)
      expect(second.file.version).not.toBe(first.file.version)
      expect((await files.find(ann, 'a'))?.version).toBe(second.file.version)
      expect((await files.move(ann, 'a', 'b')).sha256).toBe(sha256('same'))
    })

    it('has a weak date if an earlier version has the same date in whole seconds', async () => {
      const seconds: number[] = []
      while (seconds.length < 2 || seconds.at(-1) !== seconds.at(-2)) {
        const { lastModified, isDateStrong } = (await publish(stores, 'a', `version ${seconds.length}`)).file
        expect(isDateStrong).toBe(Math.floor(lastModified / 1000) !== seconds.at(-1))
        seconds.push(Math.floor(lastModified / 1000))
      }
    })

    it('is replaced only if the precondition holds', async () => {
      const { file } = await publish(stores, 'a', 'old')
      for (const precondition of [{ ifNoneMatch: '*' as const }, { ifMatch: ['"other"'] }]) {
        const refused = publish(stores, 'a', 'new', { precondition })
        await expect(refused).rejects.toMatchObject({ code: 'precondition-failed' })
        await expect(files.remove(ann, 'a', precondition)).rejects.toMatchObject({ code: 'precondition-failed' })
      }
      expect(await files.find(ann, 'a')).toEqual(file)
      await publish(stores, 'a', 'new', { precondition: { ifMatch: [file.entityTag] } })
      expect(await read(files, 'a')).toBe('new')
    })

    it('is seen complete by finds, reads and lists while it is replaced', async () => {
      await publish(stores, 'a', 'version 0')
      const versions = Array.from({ length: 31 }, (_, version) => `version ${version}`)
      let over = false
      const seen = new Set<string>()
      const reading = (async () => {
        while (!over) {
          const [listed] = await files.list(ann, { prefix: '', after: '', limit: 10 })
          for (const file of [listed, await files.find(ann, 'a')]) seen.add(file?.sha256 ?? 'none')
          seen.add(sha256(await read(files, 'a')))
        }
      })()
      for (const version of versions) await publish(stores, 'a', version)
      over = true
      await reading
      expect([...seen].filter((digest) => !versions.map(sha256).includes(digest))).toEqual([])
    })
  })

  describe('an open published file', () => {
    it('is readable to its end, whatever happens to its name', async () => {
      await publish(stores, 'a', 'first')
      const changes: (() => Promise<unknown>)[] = [
        () => publish(stores, 'a', 'second'),
        () => files.move(ann, 'a', 'b'),
        () => files.remove(ann, 'b'),
      ]
      for (const change of changes) {
        const name = (await names(files))[0]!
        const expected = await read(files, name)
        const open = (await files.open(ann, name))!
        await change()
        const buffer = Buffer.alloc(100)
        expect(buffer.toString('utf8', 0, await open.read(buffer, 0))).toBe(expected)
        await open.close()
        await open.close()
      }
    })

    it('gives the bytes of any range', async () => {
      const content = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 31) % 251))
      await publish(stores, 'a', content)
      const open = (await files.open(ann, 'a'))!
      const range = fc.record({ position: fc.nat(5100), length: fc.integer({ min: 1, max: 3000 }) })
      await checkAsync(
        fc.asyncProperty(range, async ({ position, length }) => {
          const buffer = Buffer.alloc(length)
          const bytes = await open.read(buffer, position)
          expect(bytes === 0).toBe(position >= content.length)
          expect(buffer.subarray(0, bytes)).toEqual(content.subarray(position, position + bytes))
        }),
      )
      await open.close()
    })
  })

  describe('a file placed at a path', () => {
    it('is the version at that moment, unaffected by later changes of the name', async () => {
      const { file } = await publish(stores, 'a', 'first')
      const path = join(await temporaryFolder(), 'placed')
      expect(await files.place(ann, 'a', path, signal)).toMatchObject({ version: file.version, sha256: file.sha256 })
      await publish(stores, 'a', 'second')
      await files.remove(ann, 'a')
      expect(await readFile(path, 'utf8')).toBe('first')
    })

    it('is undefined for a missing file; an aborted signal rejects with its reason', async () => {
      const path = join(await temporaryFolder(), 'placed')
      expect(await files.place(ann, 'a', path, signal)).toBeUndefined()
      await publish(stores, 'a', 'content')
      const reason = new Error('stopped')
      await expect(files.place(ann, 'a', path, AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })

  describe('conflicting file names', () => {
    it('are rejected in both orders, by checks, publishes and moves', async () => {
      await publish(stores, 'a', 'x')
      await publish(stores, 'b/c/d', 'x')
      for (const name of ['a/b', 'a/b/c', 'b', 'b/c']) {
        await expect(files.checkName(ann, name)).rejects.toMatchObject({ code: 'name-conflict' })
        await expect(publish(stores, name, 'x')).rejects.toMatchObject({ code: 'name-conflict' })
        await expect(files.move(ann, 'a', name)).rejects.toMatchObject({ code: 'name-conflict' })
      }
      await files.checkName(ann, 'b/c/d')
      await files.checkName(ann, 'b/e')
      expect(await names(files)).toEqual(['a', 'b/c/d'])
    })

    it('no longer conflict once the existing one is removed', async () => {
      await publish(stores, 'a/b/c', 'x')
      expect(await files.remove(ann, 'a/b/c')).toBe(true)
      expect(await files.remove(ann, 'a/b/c')).toBe(false)
      await publish(stores, 'a', 'x')
      expect(await files.remove(ann, 'a')).toBe(true)
      await publish(stores, 'a/b', 'x')
    })

    it('can be published concurrently with removals in any order', async () => {
      for (let round = 0; round < 20; round++) {
        await publish(stores, 'dir/sub/old', 'x')
        await Promise.all([
          files.remove(ann, 'dir/sub/old'),
          publish(stores, 'dir/sub/new', 'y'),
          publish(stores, 'dir/other', 'z'),
        ])
        expect(await names(files)).toEqual(['dir/other', 'dir/sub/new'])
        await Promise.all([files.remove(ann, 'dir/sub/new'), files.remove(ann, 'dir/other')])
      }
    })
  })

  describe('a move in the file store', () => {
    it('keeps the bytes, the digest and the type', async () => {
      await publish(stores, 'from/here', 'x')
      const moved = await files.move(ann, 'from/here', 'to/there/now')
      expect(moved).toMatchObject({ name: 'to/there/now', sha256: sha256('x'), type: 'text/x-test' })
      expect(await files.find(ann, 'to/there/now')).toEqual(moved)
      expect(await names(files)).toEqual(['to/there/now'])
    })

    it('never replaces, rejects a missing source, and checks its precondition', async () => {
      await publish(stores, 'a', 'a')
      await publish(stores, 'b', 'b')
      await expect(files.move(ann, 'a', 'b')).rejects.toMatchObject({ code: 'precondition-failed' })
      await expect(files.move(ann, 'a', 'a')).rejects.toMatchObject({ code: 'precondition-failed' })
      await expect(files.move(ann, 'c', 'd')).rejects.toMatchObject({ code: 'file-not-found' })
      const other = files.move(ann, 'a', 'd', { ifMatch: ['"other"'] })
      await expect(other).rejects.toMatchObject({ code: 'precondition-failed' })
      expect([await read(files, 'a'), await read(files, 'b')]).toEqual(['a', 'b'])
    })

    it('of two files to one name at the same time succeeds for one only', async () => {
      for (let round = 0; round < 5; round++) {
        await publish(stores, 'a', 'a')
        await publish(stores, 'b', 'b')
        const moves = await Promise.allSettled([files.move(ann, 'a', 'c'), files.move(ann, 'b', 'c')])
        expect(moves.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        expect(await names(files)).toHaveLength(2)
        for (const name of await names(files)) await files.remove(ann, name)
      }
    })

    it('of two across each other lets neither wait for the other, and loses no file', async () => {
      for (let round = 0; round < 10; round++) {
        await publish(stores, 'a', 'a')
        await publish(stores, 'b', 'b')
        const moves = await Promise.allSettled([
          files.move(ann, 'a', 'c'),
          files.move(ann, 'b', 'c'),
          files.move(ann, 'a', 'd'),
          files.remove(ann, 'b'),
        ])
        const done = moves.flatMap((move) => (move.status === 'fulfilled' ? [move.value] : []))
        expect(done.length).toBeGreaterThan(1)
        expect(await names(files)).toHaveLength(done.includes(true) ? 1 : 2)
        for (const name of await names(files)) await files.remove(ann, name)
      }
    })
  })

  describe('a list of files', () => {
    it('is sorted by full names, and continues after any of them', async () => {
      const sorted = ['B', 'a!', 'a-b', 'a.b/c', 'a/b', 'a/b0', 'a/c/d', 'a0', 'z', 'ä', '日本', '😀']
      for (const name of [...sorted].reverse()) await publish(stores, name, 'x')
      expect(await names(files)).toEqual(sorted)
      for (const after of ['', ...sorted, 'a/', 'a/bb', '0', 'zz']) {
        const found = await files.list(ann, { prefix: '', after, limit: 3 })
        expect(namesOf(found)).toEqual(sorted.filter((name) => name > after).slice(0, 3))
      }
    })

    it('equals the sorted list of all names, for any names and any query', async () => {
      const segment = fc.string({ unit: fc.constantFrom(...'abAB-.! é日'), minLength: 1, maxLength: 3 })
      const name = fc
        .array(segment, { minLength: 1, maxLength: 3 })
        .map((segments) => segments.join('/'))
        .filter((text) => faultOfName(text) === undefined)
      const query = fc.record({
        prefix: fc.string({ unit: fc.constantFrom(...'abA-./'), maxLength: 3 }),
        after: fc.string({ unit: fc.constantFrom(...'abA-./é'), maxLength: 4 }),
        search: fc.string({ unit: fc.constantFrom(...'abAÉ'), maxLength: 1 }),
        limit: fc.integer({ min: 1, max: 10 }),
      })
      let run = 0
      await checkAsync(
        fc.asyncProperty(
          fc.uniqueArray(name, { maxLength: 8 }),
          fc.array(query, { maxLength: 10 }),
          async (all, queries) => {
            const space = { role: 'user', username: `list-${run++}` }
            const stored: string[] = []
            for (const each of all) {
              const isPublished = await publish(stores, each, 'x', { space }).catch((error) => {
                expect(error).toMatchObject({ code: 'name-conflict' })
              })
              if (isPublished) stored.push(each)
            }
            for (const { prefix, after, search, limit } of queries) {
              const expected = stored
                .filter((each) => each.startsWith(prefix) && each > after)
                .filter((each) => each.toLowerCase().includes(search.toLowerCase()))
              const found = await files.list(space, { prefix, after, search, limit })
              expect(namesOf(found)).toEqual(expected.sort().slice(0, limit))
            }
          },
        ),
        25,
      )
    })

    it('is empty, as is the usage, for an account without files', async () => {
      expect(await names(files, bob)).toEqual([])
      expect(await files.usage(bob)).toBe(0)
    })
  })

  describe('many files at once', () => {
    it('many files are found by their names, in the requested order, by their account alone', async () => {
      await publish(stores, 'a/b', 'one')
      await publish(stores, 'c', 'two')
      const found = await files.findMany(ann, ['c', 'a', 'missing', 'a/b', 'c/d'])
      expect(found.map((file) => file?.name)).toEqual(['c', undefined, undefined, 'a/b', undefined])
      expect(found[3]).toEqual(await files.find(ann, 'a/b'))
      expect(await files.findMany(bob, ['c'])).toEqual([undefined])
    })

    it('small files are read whole, except for those that were replaced or removed since', async () => {
      for (const name of ['a', 'b', 'c/d']) await publish(stores, name, `content of ${name}`)
      await publish(stores, 'empty', '')
      const listed = await files.list(ann, { prefix: '', after: '', limit: 10 })
      await publish(stores, 'a', 'content of A')
      await files.remove(ann, 'b')
      const read = await files.readSmall(ann, listed)
      expect(read.map((bytes) => bytes && Buffer.from(bytes).toString())).toEqual([
        undefined,
        undefined,
        'content of c/d',
        '',
      ])
      expect(await files.readSmall(bob, listed)).toEqual([undefined, undefined, undefined, undefined])
      expect(await files.readSmall(ann, [])).toEqual([])
    })

    it('files below a prefix are counted as they are listed', async () => {
      for (const name of ['a/b', 'a/c/d', 'ab']) await publish(stores, name, '12345')
      expect(await files.measure(ann, 'a/')).toEqual({ files: 2, bytes: 10 })
      expect(await files.measure(ann, '')).toEqual({ files: 3, bytes: 15 })
      expect(await files.measure(bob, '')).toEqual({ files: 0, bytes: 0 })
    })
  })

  describe('the usage of an account', () => {
    it('counts the bytes of its files until they are removed, one by one or together', async () => {
      await publish(stores, 'a', '12345')
      await publish(stores, 'b/c', '123')
      await publish(stores, 'a', '12', { space: bob })
      expect([await files.usage(ann), await files.usage(bob)]).toEqual([8, 2])
      await publish(stores, 'a', '1')
      expect(await files.usage(ann)).toBe(4)
      await files.removeSpace(ann)
      await files.removeSpace(ann)
      expect([await names(files), await files.usage(ann)]).toEqual([[], 0])
      expect(await files.find(ann, 'b/c')).toBeUndefined()
      expect(await names(files, bob)).toEqual(['a'])
    })
  })
}

function namesOf(found: StoredFile[]): string[] {
  return found.map(({ name }) => name)
}
