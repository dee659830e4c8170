import { mkdir, readdir, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canMount, fillDisk, mountSmallDisk } from '../../../helpers/small-disk.js'
import { small } from '../small-files-contract.js'
import { ann, names, publicationOf, publish, read, sha256 } from '../stored-content.js'
import { type LocalStores, openStores } from './open-stores.js'

const half = `{"versions":[{"sha256":"${sha256('other').slice(0, 20)}`

/** What a crash, a power failure or a full disk may leave of a file in `meta/`. */
const remains = {
  empty: '',
  'full of zeros': '\0'.repeat(300),
  'half written': half,
  'of another kind': '{"versions":[{}]}',
}

describe.each(Object.entries(remains))('a metadata file that is %s', (_, text) => {
  /** The stores of a later run, whose files `a`, `b` and `d/c` have such metadata. */
  async function start(): Promise<LocalStores & { write(name: string): Promise<void> }> {
    const stores = await openStores()
    const meta = join(stores.data, 'meta/user/ann/names')
    const write = async (name: string) => {
      await mkdir(join(meta, 'd.d'), { recursive: true })
      await writeFile(join(meta, name), text)
    }
    await stores.smallFiles.publish(ann, [small('a', 'a'), small('d/c', 'c')])
    await publish(stores, 'b', 'b')
    for (const name of ['a.json', 'b.json', 'd.d/c.json']) await write(name)
    return { ...(await stores.restart()), write }
  }

  async function digests({ files, folders }: LocalStores): Promise<Record<string, string | null>> {
    const listed = await files.list(ann, { prefix: '', after: '', limit: 100 })
    const { lines } = await folders.records(ann, { prefix: '', after: '' })
    const records = new TextDecoder().decode(lines).trim().split('\n')
    expect(listed).toMatchObject(records.map((line) => JSON.parse(line)))
    for (const { name, sha256 } of listed) expect(await files.find(ann, name)).toMatchObject({ sha256 })
    return Object.fromEntries(listed.map(({ name, sha256 }) => [name, sha256]))
  }

  it('is as good as a missing one: the file is whole, and its digest unknown', async () => {
    const stores = await start()
    expect(await digests(stores)).toEqual({ a: null, b: null, 'd/c': null })
    for (const name of ['a', 'b', 'd/c']) expect(await read(stores.files, name)).toBe(name.at(-1))
  })

  it('is replaced with the digest when the file is stored again', async () => {
    const stores = await start()
    expect(await stores.smallFiles.publish(ann, [small('a', 'a'), small('d/c', 'new')])).toMatchObject([
      { status: 'replaced' },
      { status: 'replaced' },
    ])
    await publish(stores, 'b', 'b')
    const known = { a: sha256('a'), b: sha256('b'), 'd/c': sha256('new') }
    expect(await digests(stores)).toEqual(known)
    expect(await digests(await stores.restart())).toEqual(known)
  })

  it('moves with its file and its folder, and goes with them', async () => {
    const { files, folders, ...stores } = await start()
    await files.move(ann, 'a', 'moved')
    await folders.move(ann, 'd/', 'e/')
    expect(await digests({ files, folders, ...stores })).toEqual({ b: null, 'e/c': null, moved: null })
    for (const name of ['moved', 'b', 'e/c']) await files.remove(ann, name)
    expect(await names(files)).toEqual([])
  })

  it('is no obstacle where no file has its name', async () => {
    const stores = await start()
    for (const name of ['x.json', 'y.json', 'd.d/z.json', 'd.d/staged.json']) await stores.write(name)
    expect(await stores.smallFiles.publish(ann, [small('x', 'x'), small('d/z', 'z')])).toMatchObject([
      { status: 'new' },
      { status: 'new' },
    ])
    await publish(stores, 'y', 'y')
    const stage = await stores.stages.open({ jobId: 'job', space: ann, prefix: '', replace: false })
    await stage.addSmall([small('d/staged', 'staged')])
    await stage.publish(() => publicationOf())
    const known = { x: sha256('x'), y: sha256('y'), 'd/z': sha256('z'), 'd/staged': sha256('staged') }
    expect(await digests(await stores.restart())).toMatchObject(known)
  })
})

describe('a metadata file with long media types', () => {
  it('is read whole by a list, too', async () => {
    const stores = await openStores()
    const type = `text/x-${'long'.repeat(3000)}`
    for (const content of ['old', 'new']) {
      await stores.smallFiles.publish(ann, [{ ...small('a', content), type }])
    }
    const { files } = await stores.restart()
    expect(await files.list(ann, { prefix: '', after: '', limit: 1 })).toMatchObject([{ sha256: sha256('new'), type }])
  })
})

describe.skipIf(!canMount)('a disk that is full', () => {
  it('keeps no metadata of files for which it has no room', async () => {
    const folder = await mountSmallDisk()
    const { smallFiles, files, data } = await openStores(join(folder, 'data'))
    const { bavail, bsize } = await statfs(folder)
    // Room for the bytes of all files, but not for the metadata of all.
    await fillDisk(folder, (bavail - 300) * bsize)
    const results = await smallFiles.publish(
      ann,
      Array.from({ length: 200 }, (_, index) => small(`f${index}`, `${index}`)),
    )
    const failed = results.filter(({ status }) => status === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    const published = await names(files)
    expect(published).toHaveLength(200 - failed.length)
    const described = (await readdir(join(data, 'meta/user/ann/names'))).map((name) => name.replace(/\.json$/, ''))
    expect(described.sort()).toEqual(published.sort())
  })
})
