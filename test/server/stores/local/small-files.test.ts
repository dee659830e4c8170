import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { small, smallFilesContract } from '../small-files-contract.js'
import { ann, names, read } from '../stored-content.js'
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

  it('leaves nothing in partial/, whatever its files end with', async () => {
    const { smallFiles, files, data } = await openStores()
    await smallFiles.publish(ann, [small('a', 'x'), small('a/b', 'x'), { ...small('c', 'x'), sha256: '0'.repeat(64) }])
    expect(await readdir(join(data, 'partial'))).toEqual([])
    expect(await names(files)).toEqual(['a'])
  })
})
