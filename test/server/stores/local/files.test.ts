import { execFileSync } from 'node:child_process'
import { link, lstat, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { upgradeDataFolder } from '../../../../dist/server/stores/local/data-format.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { ann, fill, names, publish, read, sha256 } from '../stored-content.js'
import { openStores } from './open-stores.js'

describe('files put into the data folder by hand', () => {
  it('are served without a digest, with an entity tag that changes with them', async () => {
    const { files, folder } = await open()
    await writeFile(join(folder, 'by-hand.csv'), 'a,b\n')
    const before = await files.find(ann, 'by-hand.csv')
    expect(before).toMatchObject({ name: 'by-hand.csv', size: 4, sha256: null, type: 'text/csv' })
    const { ino, size, mtimeNs } = await lstat(join(folder, 'by-hand.csv'), { bigint: true })
    expect(before?.entityTag).toBe(`"${[ino, size, mtimeNs].map((part) => part.toString(16)).join('-')}"`)
    await writeFile(join(folder, 'by-hand.csv'), 'a,c\n')
    await utimes(join(folder, 'by-hand.csv'), 1, 1)
    const after = await files.find(ann, 'by-hand.csv')
    expect(after?.entityTag).not.toBe(before?.entityTag)
    expect(await read(files, 'by-hand.csv')).toBe('a,c\n')
  })

  it('do not inherit the digest of an earlier file, and get their own with the next upload', async () => {
    const { files, store, folder } = await open()
    await store('a', 'uploaded')
    expect(await files.find(ann, 'a')).toMatchObject({ sha256: sha256('uploaded'), type: 'text/x-test' })
    await rm(join(folder, 'a'))
    await writeFile(join(folder, 'a'), 'by hand!')
    expect(await files.find(ann, 'a')).toMatchObject({ sha256: null, type: 'application/octet-stream' })
    await store('a', 'again')
    expect(await files.find(ann, 'a')).toMatchObject({ sha256: sha256('again') })
  })

  it('with an invalid media type in their metadata have none', async () => {
    const { files, store, folder } = await open()
    await store('a.csv', 'a,b\n')
    const meta = join(folder, '../../../meta/user/ann/names/a.csv.json')
    await writeFile(meta, (await readFile(meta, 'utf8')).replace('text/x-test', 'text/x\\ntest'))
    expect(await files.find(ann, 'a.csv')).toMatchObject({ sha256: null, type: 'text/csv' })
  })

  it('other than regular files and folders are treated as missing', async () => {
    const { files, folder } = await open()
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await mkdir(join(folder, 'folder'))
    for (const name of ['pipe', 'folder', 'pipe/x']) {
      expect(await files.find(ann, name)).toBeUndefined()
      expect(await files.open(ann, name)).toBeUndefined()
      expect(await files.remove(ann, name)).toBe(false)
    }
    expect(await names(files)).toEqual([])
  })
})

describe('empty folders', () => {
  it('empty folders are listed in pages, below a folder and by themselves', async () => {
    const { files, store, folder } = await open()
    await store('a/file', 'x')
    for (const path of ['a/empty', 'a/full/empty/deep', 'a/z', 'b'])
      await mkdir(join(folder, path), { recursive: true })
    const list = (prefix: string, after = '', limit = 10) => files.listEmptyFolders(ann, { prefix, after, limit })
    expect(await list('')).toEqual(['a/empty/', 'a/full/empty/deep/', 'a/z/', 'b/'])
    expect(await list('a/')).toEqual(['a/empty/', 'a/full/empty/deep/', 'a/z/'])
    expect(await list('b/')).toEqual(['b/'])
    expect(await list('missing/')).toEqual([])
    const paged: string[] = []
    for (let page = await list('', '', 1); page.length > 0; page = await list('', page[0], 1)) paged.push(...page)
    expect(paged).toEqual(await list(''))
  })
})

describe('small files', () => {
  it('a small file is not read if another program has changed it, or behind a symbolic link', async () => {
    const { files, store, folder, outside } = await open()
    for (const name of ['changed', 'grown', 'shrunk', 'linked/a']) await store(name, '12345')
    const listed = await files.list(ann, { prefix: '', after: '', limit: 10 })
    await utimes(join(folder, 'changed'), 1, 1)
    await writeFile(join(folder, 'grown'), '123456')
    await writeFile(join(folder, 'shrunk'), '1')
    await rename(join(folder, 'linked'), join(outside, 'linked'))
    await symlink(join(outside, 'linked'), join(folder, 'linked'))
    expect(await files.readSmall(ann, listed)).toEqual(Array(4).fill(undefined))
  })
})

describe('an open file', () => {
  it('an open file tells whether another program has written to it', async () => {
    const { files, store, folder } = await open()
    await store('a', '12345')
    const file = await files.open(ann, 'a')
    expect(await file?.isUnchanged()).toBe(true)
    await store('a', 'replaced')
    expect(await file?.isUnchanged()).toBe(true)
    await file?.close()
    const replaced = await files.open(ann, 'a')
    await utimes(join(folder, 'a'), 1, 1)
    expect(await replaced?.isUnchanged()).toBe(false)
    await replaced?.close()
  })
})

describe('symbolic links in the data folder', () => {
  it('are treated as missing, wherever they point', async () => {
    const { files, store, folder, outside } = await open()
    await writeFile(join(outside, 'secret'), 'secret')
    await store('real/a', 'x')
    await symlink(join(outside, 'secret'), join(folder, 'file-out'))
    await symlink(outside, join(folder, 'folder-out'))
    await symlink(join(folder, 'real/a'), join(folder, 'file-in'))
    await symlink(join(folder, 'real'), join(folder, 'folder-in'))
    await symlink('loop', join(folder, 'loop'))
    for (const name of ['file-out', 'folder-out/secret', 'file-in', 'folder-in/a', 'loop', 'loop/x', 'folder-out']) {
      expect(await files.find(ann, name)).toBeUndefined()
      expect(await files.open(ann, name)).toBeUndefined()
      expect(await files.remove(ann, name)).toBe(false)
      await expect(files.move(ann, name, 'elsewhere')).rejects.toMatchObject({ code: 'file-not-found' })
    }
    expect(await names(files)).toEqual(['real/a'])
    expect(await files.findMany(ann, ['file-out', 'folder-out/secret', 'folder-in/a', 'loop/x', 'real/a'])).toEqual([
      ...Array(4).fill(undefined),
      expect.objectContaining({ name: 'real/a' }),
    ])
    expect(await files.listEmptyFolders(ann, { prefix: 'folder-out/', after: '', limit: 10 })).toEqual([])
    expect(await files.usage(ann)).toBe(1)
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('to folders are never followed for writes or for creating folders', async () => {
    const { files, store, folder, outside } = await open()
    await symlink(outside, join(folder, 'out'))
    await store('a', 'x')
    for (const name of ['out/a', 'out/deep/down/a']) {
      await expect(store(name, 'x')).rejects.toMatchObject({ code: 'name-conflict' })
      await expect(files.move(ann, 'a', name)).rejects.toMatchObject({ code: 'name-conflict' })
    }
    expect(await readdir(outside)).toEqual([])
    expect(await names(files)).toEqual(['a'])
  })

  it('to files are replaced, and their targets stay unchanged', async () => {
    const { files, store, folder, outside } = await open()
    await writeFile(join(outside, 'secret'), 'secret')
    await symlink(join(outside, 'secret'), join(folder, 'a'))
    await store('a', 'mine')
    expect(await read(files, 'a')).toBe('mine')
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret')
  })

  it('that replace the folder of an account hide it', async () => {
    const { files, store, data, outside } = await open()
    await rm(join(data, 'uploads/user/ann'), { recursive: true })
    await writeFile(join(outside, 'a'), 'x')
    await symlink(outside, join(data, 'uploads/user/ann'))
    expect(await files.find(ann, 'a')).toBeUndefined()
    expect(await names(files)).toEqual([])
    await expect(store('b', 'x')).rejects.toMatchObject({ code: 'name-conflict' })
    expect(await readdir(outside)).toEqual(['a'])
  })
})

describe('the removal of a file', () => {
  it('removes the folders that it leaves empty', async () => {
    const { files, store, folder } = await open()
    await store('a/b/c', 'x')
    expect(await files.remove(ann, 'a/b/c')).toBe(true)
    expect(await readdir(folder)).toEqual([])
  })
})

describe('a publish of a file', () => {
  it('that fails keeps the old version with its digest', async () => {
    const { files, partials, store, data, folder } = await open()
    await store('a', 'old')
    const partial = await fill(partials, 'new')
    await rm(join(data, 'partial', `${partial.id}.bin`))
    await expect(partial.publish({ space: ann, name: 'a', type: 'x/y', sha256: sha256('new') })).rejects.toThrow()
    expect(await files.find(ann, 'a')).toMatchObject({ size: 3, sha256: sha256('old'), type: 'text/x-test' })
    expect((await lstat(join(folder, 'a'))).mode & 0o777).toBe(0o600)
  })

  it('keeps the digest of the current version, wherever a crash happens', async () => {
    const { files, store, data, folder } = await open()
    await store('a', 'old')
    await link(join(folder, 'a'), join(data, 'old'))
    await store('a', 'new')
    // As a crash before the rename leaves it: the metadata of the new version is written, the old one is in place.
    await rename(join(data, 'old'), join(folder, 'a'))
    expect(await files.find(ann, 'a')).toMatchObject({ size: 3, sha256: sha256('old') })
  })
})

describe('the metadata of earlier versions', () => {
  it('is moved to the folders of the names at the next start, unless it describes no name', async () => {
    const { data, store, stores } = await open()
    await store('dir/a.json/b', 'x')
    await store('dir/a', 'y')
    const folder = join(data, 'meta/user/ann')
    for (const [name, path] of [
      ['dir/a.json/b', 'names/dir.d/a.json.d/b.json'],
      ['dir/a', 'names/dir.d/a.json'],
    ] as const) {
      const { versions } = JSON.parse(await readFile(join(folder, path), 'utf8'))
      await writeFile(join(folder, `${sha256(name)}.json`), JSON.stringify({ name, versions }))
    }
    await rm(join(folder, 'names'), { recursive: true })
    await writeFile(join(folder, `${sha256('other')}.json`), '{"name":')
    await upgradeDataFolder(data)
    const { files } = await stores.restart()
    expect(await files.find(ann, 'dir/a.json/b')).toMatchObject({ sha256: sha256('x'), type: 'text/x-test' })
    expect(await files.find(ann, 'dir/a')).toMatchObject({ sha256: sha256('y') })
    expect(await readdir(folder)).toEqual(['names'])
  })
})

describe('a move of a file', () => {
  it('creates folders and removes those left empty', async () => {
    const { files, store, folder } = await open()
    await store('from/here', 'x')
    await files.move(ann, 'from/here', 'to/there/now')
    expect(await readdir(folder)).toEqual(['to'])
  })

  it('also accepts a file that was put there by hand', async () => {
    const { files, folder } = await open()
    await writeFile(join(folder, 'a'), 'x')
    expect(await files.move(ann, 'a', 'b')).toMatchObject({ name: 'b', sha256: null })
    expect(await names(files)).toEqual(['b'])
  })
})

async function open() {
  const stores = await openStores()
  const { data, files, partials } = stores
  const outside = await temporaryFolder()
  const folder = join(data, 'uploads/user/ann')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const store = (name: string, content: string) => publish({ partials }, name, content)
  return { stores, files, partials, data, folder, outside, store }
}
