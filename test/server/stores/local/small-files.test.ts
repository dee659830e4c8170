import { link, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../../helpers/eventually.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { small, smallFilesContract } from '../small-files-contract.js'
import { ann, names, read, sha256 } from '../stored-content.js'
import { openStores } from './open-stores.js'

smallFilesContract(() => openStores())

describe('a batch on the local disk', () => {
  it('writes nothing through a link, neither of a folder nor of a file', async () => {
    const { smallFiles, files, data } = await openStores()
    const outside = await temporaryFolder()
    await writeFile(join(outside, 'file'), 'outside')
    const own = join(data, 'uploads/user/ann')
    await mkdir(own, { recursive: true })
    await symlink(outside, join(own, 'folder'))
    await symlink(join(outside, 'file'), join(own, 'file'))
    const results = await smallFiles.publish(ann, [
      small('folder/x', 'x'),
      small('folder/new/x', 'x'),
      small('file', 'x'),
    ])
    const conflict = { status: 'failed', error: { code: 'name-conflict' } }
    expect(results).toMatchObject([conflict, conflict, { status: 'new' }])
    expect(await readdir(outside)).toEqual(['file'])
    expect(await read(files, 'file')).toBe('x')
  })

  it('is refused whole while the data folder is missing', async () => {
    const { smallFiles, data } = await openStores()
    await rename(join(data, 'uploads'), join(data, 'elsewhere'))
    const refused = smallFiles.publish(ann, [small('a', 'x')])
    await expect(refused).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(await readdir(data)).not.toContain('uploads')
    await rename(join(data, 'elsewhere'), join(data, 'uploads'))
  })

  it('is listed without a look at its metadata, as long as nobody changes its files', async () => {
    const { smallFiles, files, folders, data } = await openStores()
    // The thread that lists files has started: it hears of digests from then on.
    await files.list(ann, { prefix: '', after: '', limit: 1 })
    const contents = ['changed', 'linked', 'moved', 'replaced', 'same'].map((name) => small(`d/${name}`, name))
    await smallFiles.publish(ann, contents)
    await rm(join(data, 'meta/user/ann'), { recursive: true })
    const digests = async () => {
      const listed = await files.list(ann, { prefix: 'd/', after: '', limit: 100 })
      const lines = new TextDecoder().decode((await folders.records(ann, { prefix: 'd/', after: '' })).lines)
      const records = lines
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
      expect(listed).toMatchObject(records)
      return Object.fromEntries(records.map(({ name, sha256 }) => [name.slice(2), sha256]))
    }
    const known = Object.fromEntries(contents.map(({ name, bytes }) => [name.slice(2), sha256(String(bytes))]))
    await eventually('the digests have come from the other thread', async () => (await digests()).same)
    expect(await digests()).toEqual(known)
    const own = join(data, 'uploads/user/ann/d')
    const { ctimeMs } = await stat(join(own, 'same'))
    await eventually('a change has another time than the publish', async () => {
      await writeFile(join(data, 'now'), '')
      return (await stat(join(data, 'now'))).mtimeMs > ctimeMs
    })
    await writeFile(join(own, 'changed'), 'CHANGED')
    await link(join(own, 'linked'), join(own, 'link'))
    await rename(join(own, 'moved'), join(own, 'else'))
    await writeFile(join(own, 'new'), 'REPLACED')
    await rename(join(own, 'new'), join(own, 'replaced'))
    const none = { changed: null, else: null, link: null, linked: null, replaced: null }
    expect(await digests()).toEqual({ ...none, same: known.same })
  })

  it('leaves nothing in partial/, whatever its files end with', async () => {
    const { smallFiles, files, data } = await openStores()
    await smallFiles.publish(ann, [small('a', 'x'), small('a/b', 'x'), { ...small('c', 'x'), sha256: '0'.repeat(64) }])
    expect(await readdir(join(data, 'partial'))).toEqual([])
    expect(await names(files)).toEqual(['a'])
  })
})
