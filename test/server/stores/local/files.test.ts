import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, link, lstat, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openFileStore } from '../../../../dist/server/stores/local/files.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

const ann = { role: 'user', username: 'ann' }

describe('files that were put there by hand', () => {
  it('are served without a digest, by a tag that changes with them', async () => {
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

  it('lose the digest of what was there before them, and get their own by the next upload', async () => {
    const { files, folder } = await open()
    await store(files, 'a', 'uploaded')
    expect(await files.find(ann, 'a')).toMatchObject({ sha256: sha256('uploaded'), type: 'text/x-test' })
    await rm(join(folder, 'a'))
    await writeFile(join(folder, 'a'), 'by hand!')
    expect(await files.find(ann, 'a')).toMatchObject({ sha256: null, type: 'application/octet-stream' })
    await store(files, 'a', 'again')
    expect(await files.find(ann, 'a')).toMatchObject({ sha256: sha256('again') })
  })

  it('that say a media type which no header can bear have none of their own', async () => {
    const { files, folder } = await open()
    await store(files, 'a.csv', 'a,b\n')
    const meta = join(folder, '../../../meta/user/ann', `${sha256('a.csv')}.json`)
    await writeFile(meta, (await readFile(meta, 'utf8')).replace('text/x-test', 'text/x\\ntest'))
    expect(await files.find(ann, 'a.csv')).toMatchObject({ sha256: null, type: 'text/csv' })
  })

  it('in other forms than files and folders do not exist', async () => {
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

describe('symbolic links', () => {
  it('do not exist, wherever they lead', async () => {
    const { files, folder, outside } = await open()
    await writeFile(join(outside, 'secret'), 'secret')
    await store(files, 'real/a', 'x')
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
    expect(await files.usage(ann)).toBe(1)
    expect(await readdir(outside)).toEqual(['secret'])
  })

  it('as folders are never written through, nor is anything made behind them', async () => {
    const { files, folder, outside } = await open()
    await symlink(outside, join(folder, 'out'))
    await store(files, 'a', 'x')
    for (const name of ['out/a', 'out/deep/down/a']) {
      await expect(store(files, name, 'x')).rejects.toMatchObject({ code: 'name-conflict' })
      await expect(files.move(ann, 'a', name)).rejects.toMatchObject({ code: 'name-conflict' })
    }
    expect(await readdir(outside)).toEqual([])
    expect(await names(files)).toEqual(['a'])
  })

  it('as files are replaced, and what they led to is left alone', async () => {
    const { files, folder, outside } = await open()
    await writeFile(join(outside, 'secret'), 'secret')
    await symlink(join(outside, 'secret'), join(folder, 'a'))
    await store(files, 'a', 'mine')
    expect(await read(files, 'a')).toBe('mine')
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret')
  })

  it('in the place of an account’s folder hide it', async () => {
    const { files, data, outside } = await open()
    await rm(join(data, 'uploads/user/ann'), { recursive: true })
    await writeFile(join(outside, 'a'), 'x')
    await symlink(outside, join(data, 'uploads/user/ann'))
    expect(await files.find(ann, 'a')).toBeUndefined()
    expect(await names(files)).toEqual([])
    await expect(store(files, 'b', 'x')).rejects.toMatchObject({ code: 'name-conflict' })
    expect(await readdir(outside)).toEqual(['a'])
  })
})

describe('names in each other’s way', () => {
  it('conflict in both orders, when they are checked and when they are published', async () => {
    const { files } = await open()
    await store(files, 'a', 'x')
    await store(files, 'b/c/d', 'x')
    for (const name of ['a/b', 'a/b/c', 'b', 'b/c']) {
      await expect(files.checkName(ann, name)).rejects.toMatchObject({ code: 'name-conflict' })
      await expect(store(files, name, 'x')).rejects.toMatchObject({ code: 'name-conflict' })
      await expect(files.move(ann, 'a', name)).rejects.toMatchObject({ code: 'name-conflict' })
    }
    await files.checkName(ann, 'b/c/d')
    await files.checkName(ann, 'b/e')
    expect(await names(files)).toEqual(['a', 'b/c/d'])
  })

  it('conflict no more once the one in the way is removed, with the folders that it left empty', async () => {
    const { files, folder } = await open()
    await store(files, 'a/b/c', 'x')
    expect(await files.remove(ann, 'a/b/c')).toBe(true)
    expect(await readdir(folder)).toEqual([])
    await store(files, 'a', 'x')
    expect(await files.remove(ann, 'a')).toBe(true)
    await store(files, 'a/b', 'x')
  })

  it('are stored side by side with removals, whichever comes first', async () => {
    const { files } = await open()
    for (let round = 0; round < 40; round++) {
      await store(files, 'dir/sub/old', 'x')
      await Promise.all([
        files.remove(ann, 'dir/sub/old'),
        store(files, 'dir/sub/new', 'y'),
        store(files, 'dir/other', 'z'),
      ])
      expect(await names(files)).toEqual(['dir/other', 'dir/sub/new'])
      await Promise.all([files.remove(ann, 'dir/sub/new'), files.remove(ann, 'dir/other')])
    }
  })
})

describe('a publish', () => {
  it('that fails leaves the old version with its digest', async () => {
    const { files, folder } = await open()
    await store(files, 'a', 'old')
    const partial = await fill(files, 'new')
    await rename(partial.path, `${partial.path}.away`)
    await expect(partial.publish({ space: ann, name: 'a', type: 'x/y', sha256: sha256('new') })).rejects.toThrow()
    expect(await files.find(ann, 'a')).toMatchObject({ size: 3, sha256: sha256('old'), type: 'text/x-test' })
    const late = await fill(files, 'new')
    await expect(
      late.publish({ space: ann, name: 'a', type: 'x/y', sha256: sha256('new'), precondition: { ifNoneMatch: '*' } }),
    ).rejects.toMatchObject({ code: 'precondition-failed' })
    expect(await read(files, 'a')).toBe('old')
    expect((await lstat(join(folder, 'a'))).mode & 0o777).toBe(0o600)
  })

  it('keeps the digest of the version that is there, wherever a crash comes', async () => {
    const { files, data, folder } = await open()
    await store(files, 'a', 'old')
    await link(join(folder, 'a'), join(data, 'old'))
    await store(files, 'a', 'new')
    // As a crash before the rename leaves it: the metadata of the new version is written, the old one is in place.
    await rename(join(data, 'old'), join(folder, 'a'))
    expect(await files.find(ann, 'a')).toMatchObject({ size: 3, sha256: sha256('old') })
  })

  it('is seen whole by a list too', async () => {
    const { files } = await open()
    await store(files, 'a', 'version 0')
    let over = false
    const listing = (async () => {
      const seen = new Set<string>()
      while (!over) {
        const [file] = await files.list(ann, { prefix: '', after: '', limit: 10 })
        seen.add(file?.sha256 ?? 'none')
      }
      return seen
    })()
    for (let version = 1; version <= 100; version++) await store(files, 'a', `version ${version}`)
    over = true
    const seen = await listing
    const versions = Array.from({ length: 101 }, (_, version) => sha256(`version ${version}`))
    expect([...seen].filter((digest) => !versions.includes(digest))).toEqual([])
  })
})

describe('a move', () => {
  it('keeps the digest and the type, makes folders and removes those left empty', async () => {
    const { files, folder } = await open()
    await store(files, 'from/here', 'x')
    const moved = await files.move(ann, 'from/here', 'to/there/now')
    expect(moved).toMatchObject({ name: 'to/there/now', sha256: sha256('x'), type: 'text/x-test' })
    expect(await files.find(ann, 'to/there/now')).toEqual(moved)
    expect(await readdir(folder)).toEqual(['to'])
  })

  it('of a file that was put there by hand works too', async () => {
    const { files, folder } = await open()
    await writeFile(join(folder, 'a'), 'x')
    expect(await files.move(ann, 'a', 'b')).toMatchObject({ name: 'b', sha256: null })
    expect(await names(files)).toEqual(['b'])
  })

  it('never replaces, and goes nowhere where its target is', async () => {
    const { files } = await open()
    await store(files, 'a', 'a')
    await store(files, 'b', 'b')
    await expect(files.move(ann, 'a', 'b')).rejects.toMatchObject({ code: 'precondition-failed' })
    await expect(files.move(ann, 'a', 'a')).rejects.toMatchObject({ code: 'precondition-failed' })
    await expect(files.move(ann, 'c', 'd')).rejects.toMatchObject({ code: 'file-not-found' })
    expect([await read(files, 'a'), await read(files, 'b')]).toEqual(['a', 'b'])
    expect(await names(files)).toEqual(['a', 'b'])
  })

  it('of two across each other lets none wait for the other', async () => {
    const { files } = await open()
    for (let round = 0; round < 20; round++) {
      await store(files, 'a', 'a')
      await store(files, 'b', 'b')
      const moves = await Promise.allSettled([
        files.move(ann, 'a', 'c'),
        files.move(ann, 'b', 'c'),
        files.move(ann, 'a', 'd'),
        files.remove(ann, 'b'),
      ])
      expect(moves.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(1)
      for (const name of await names(files)) await files.remove(ann, name)
    }
  })
})

describe('a list', () => {
  it('is sorted by names, not folder by folder, and goes on behind any of them', async () => {
    const { files } = await open()
    const sorted = ['B', 'a!', 'a-b', 'a.b/c', 'a/b', 'a/b0', 'a/c/d', 'a0', 'z', 'ä', '日本', '😀']
    for (const name of [...sorted].reverse()) await store(files, name, 'x')
    expect(sorted).toEqual([...sorted].sort())
    expect(await names(files)).toEqual(sorted)
    for (const after of ['', ...sorted, 'a/', 'a/bb', '0', 'zz']) {
      const found = await files.list(ann, { prefix: '', after, limit: 3 })
      expect(found.map(({ name }) => name)).toEqual(sorted.filter((name) => name > after).slice(0, 3))
    }
    for (const prefix of ['a', 'a/', 'a/b', 'a/c/', 'a.', 'x', 'a/b/']) {
      const found = await files.list(ann, { prefix, after: '', limit: 100 })
      expect(found.map(({ name }) => name)).toEqual(sorted.filter((name) => name.startsWith(prefix)))
    }
  })

  it('of an account without a folder is empty', async () => {
    const { files } = await open()
    expect(await files.list({ role: 'user', username: 'nobody' }, { prefix: '', after: '', limit: 1 })).toEqual([])
    expect(await files.usage({ role: 'user', username: 'nobody' })).toBe(0)
  })
})

async function open() {
  const data = await temporaryFolder()
  const outside = await temporaryFolder()
  const files = await openFileStore(data)
  onTestFinished(() => files.close())
  const folder = join(data, 'uploads/user/ann')
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o700)
  return { files, data, folder, outside }
}

type Files = Awaited<ReturnType<typeof openFileStore>>
let partials = 0

async function fill(files: Files, content: string) {
  const partial = await files.createPartial(`partial-${partials++}`)
  await partial.append(Buffer.from(content), Buffer.byteLength(content))
  await partial.sync()
  return partial as typeof partial & { path: string }
}

async function store(files: Files, name: string, content: string) {
  const partial = await fill(files, content)
  const sha = await partial.sha256()
  try {
    return await partial.publish({ space: ann, name, type: 'text/x-test', sha256: sha })
  } catch (error) {
    await partial.remove()
    throw error
  }
}

async function read(files: Files, name: string): Promise<string> {
  const file = await files.open(ann, name)
  const buffer = Buffer.alloc(1000)
  const bytes = await file!.read(buffer, 0)
  await file!.close()
  return buffer.toString('utf8', 0, bytes)
}

async function names(files: Files): Promise<string[]> {
  return (await files.list(ann, { prefix: '', after: '', limit: 1000 })).map(({ name }) => name)
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}
