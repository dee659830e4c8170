import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { namesBelow } from '../../../../dist/server/stores/local/file-names.js'
import { FolderIndex } from '../../../../dist/server/stores/local/folder-names.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

/** A clock so far on that no folder counts as having changed a moment ago. */
const later = () => Date.now() + 3_600_000

describe('the cached names of a folder', () => {
  it('are read once while the folder is unchanged', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'a'), '')
    const index = new FolderIndex({ now: later })
    const names = index.read(folder, true)
    expect(names).toEqual(['a'])
    expect(index.read(folder, true)).toBe(names)
  })

  it('are read again after a file was added, removed or renamed by hand', async () => {
    const folder = await temporaryFolder()
    const index = new FolderIndex({ now: later })
    await writeFile(join(folder, 'a'), '')
    expect(index.read(folder, true)).toEqual(['a'])
    await writeFile(join(folder, 'b'), '')
    expect(index.read(folder, true)).toEqual(['a', 'b'])
    await rename(join(folder, 'b'), join(folder, 'c'))
    expect(index.read(folder, true)).toEqual(['a', 'c'])
    await rm(join(folder, 'a'))
    expect(index.read(folder, true)).toEqual(['c'])
  })

  it('are not cached if the folder changed so recently that another change could have the same timestamp', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'a'), '')
    // A file system that keeps whole seconds: the second change of a second leaves the time as it is.
    const wholeSecond = Math.floor(Date.now() / 1000)
    await utimes(folder, wholeSecond, wholeSecond)
    const index = new FolderIndex()
    const names = index.read(folder, true)
    expect(index.read(folder, true)).toEqual(names)
    expect(index.read(folder, true)).not.toBe(names)
  })

  it('are evicted when too many folders are cached', async () => {
    const folder = await temporaryFolder()
    for (const name of ['one', 'two']) {
      await mkdir(join(folder, name))
      for (const file of ['a', 'b', 'c']) await writeFile(join(folder, name, file), '')
    }
    const index = new FolderIndex({ now: later, maxNames: 4 })
    const one = index.read(join(folder, 'one'), false)
    const two = index.read(join(folder, 'two'), false)
    expect(index.read(join(folder, 'two'), false)).toBe(two)
    expect(index.read(join(folder, 'one'), false)).toEqual(one)
    expect(index.read(join(folder, 'one'), false)).not.toBe(one)
  })

  it('are read once for all requests made before the read', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'a'), '')
    // Changed so recently that the cached names are not used for later requests.
    const index = new FolderIndex()
    const arrivedAt = performance.now()
    const names = index.read(folder, false, arrivedAt)
    await writeFile(join(folder, 'b'), '')
    expect(index.read(folder, false, arrivedAt)).toBe(names)
    expect(index.read(folder, false)).toEqual(['a', 'b'])
  })

  it('are evicted also if the folders are nearly empty', async () => {
    const folder = await temporaryFolder()
    for (const name of ['one', 'two', 'three']) {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'a'), '')
    }
    const index = new FolderIndex({ now: later, maxNames: 25 })
    const [one, , three] = ['one', 'two', 'three'].map((name) => index.read(join(folder, name), false))
    expect(index.read(join(folder, 'three'), false)).toBe(three)
    expect(index.read(join(folder, 'one'), false)).not.toBe(one)
  })

  it('exclude invalid names, links and missing files', async () => {
    const folder = await temporaryFolder()
    const unnamable = ['U\u0308ber', 'back\\slash', 'tab\there', 'x'.repeat(241), 'ops:x', 'new\nline']
    for (const name of ['plain', 'größe', '.hidden', ...unnamable]) await writeFile(join(folder, name), '')
    await mkdir(join(folder, 'sub'))
    await mkdir(join(folder, 'o\u0308'))
    await symlink(join(folder, 'plain'), join(folder, 'link'))
    await symlink(join(folder, 'sub'), join(folder, 'sublink'))
    const index = new FolderIndex()
    expect(index.read(folder, true)).toEqual(['.hidden', 'größe', 'plain', 'sub/'])
    expect(index.read(folder, false)).toContain('ops:x')
    expect(index.read(join(folder, 'sublink'), false)).toEqual([])
    expect(index.read(join(folder, 'missing'), false)).toEqual([])
  })
})

describe('the file names below a folder', () => {
  const folders: Record<string, string[]> = {
    '': ['B', 'a!', 'a-b', 'a.b/', 'a/', 'a0', 'z'],
    'a.b/': ['c'],
    'a/': ['b', 'b0', 'c/'],
    'a/c/': ['d', 'e'],
  }
  const sorted = ['B', 'a!', 'a-b', 'a.b/c', 'a/b', 'a/b0', 'a/c/d', 'a/c/e', 'a0', 'z']

  it('start after any name and with any prefix, in name order', () => {
    expect(sorted).toEqual([...sorted].sort())
    for (const prefix of ['', 'a', 'a/', 'a/b', 'a/c', 'a/c/', 'a/c/d', 'a.', 'x', 'B', 'a/b/', 'zz']) {
      for (const after of ['', ...sorted, 'a/', 'a/bb', 'a/c/dd', '0', 'zz', 'a', 'a/c']) {
        const expected = sorted.filter((name) => name.startsWith(prefix) && name > after)
        const found = [...namesBelow((folder) => folders[folder] ?? [], { prefix, after })]
        expect(found, `prefix "${prefix}", after "${after}"`).toEqual(expected)
      }
    }
  })

  it('are not read from folders outside the range', () => {
    const read: string[] = []
    const look = (folder: string) => {
      read.push(folder)
      return folders[folder] ?? []
    }
    const names = namesBelow(look, { prefix: 'a/c', after: 'a/c/d' })
    expect([...names]).toEqual(['a/c/e'])
    expect(read).toEqual(['', 'a/', 'a/c/'])
  })
})
