import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDataFolder } from '../../../../dist/server/stores/local/data-folder.js'
import { openSecretKey } from '../../../../dist/server/stores/local/secret-key.js'
import { asNobodyInstead } from '../../../helpers/as-nobody.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

describe('the data folder', () => {
  it('is created with its subfolders, for its owner only', async () => {
    const root = join(await temporaryFolder(), 'a', 'data')
    const folder = await openDataFolder(root)
    expect(folder.root).toBe(root)
    for (const path of [root, folder.uploads, folder.partial, folder.meta, folder.tables]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700)
    }
    expect(await readdir(folder.uploads)).toEqual([])
    expect(await readdir(folder.partial)).toEqual([])
  })

  it('can be an existing empty folder, and keeps the mode of one in use', async () => {
    const root = join(await temporaryFolder(), 'data')
    await mkdir(root, { mode: 0o755 })
    await openDataFolder(root)
    expect((await stat(root)).mode & 0o777).toBe(0o700)
    await chmod(root, 0o750)
    await openDataFolder(root)
    expect((await stat(root)).mode & 0o777).toBe(0o750)
  })

  it('is reported if a file has its path', async () => {
    const root = join(await temporaryFolder(), 'data')
    await writeFile(root, '')
    await expect(openDataFolder(root)).rejects.toThrow(`The data folder ${root} cannot be used (EEXIST)`)
    await expect(openDataFolder(join(root, 'x'))).rejects.toThrow(/cannot be used \(ENOTDIR\)/)
  })

  it('is reported if it is not writable', async () => {
    const root = await temporaryFolder()
    await writeFile(join(root, 'notes'), 'not empty, so it belongs to somebody')
    await chmod(root, 0o555)
    await asNobodyInstead(async () => {
      await expect(openDataFolder(root)).rejects.toThrow(/cannot be used \(EACCES\): this user may not/)
    })
    await chmod(root, 0o700)
  })
})

describe('the secret key', () => {
  it('is generated once and stored for its owner only', async () => {
    const root = await temporaryFolder()
    const key = await openSecretKey(root, null)
    expect(key.length).toBe(32)
    expect(await openSecretKey(root, null)).toEqual(key)
    expect((await stat(join(root, 'secret.key'))).mode & 0o777).toBe(0o600)
  })

  it('is the configured one, if any', async () => {
    const root = await temporaryFolder()
    expect(Buffer.from(await openSecretKey(root, 's'.repeat(40))).toString()).toBe('s'.repeat(40))
    expect(await readdir(root)).toEqual([])
  })

  it('is not replaced if its file is damaged', async () => {
    const root = await temporaryFolder()
    await writeFile(join(root, 'secret.key'), 'short')
    await expect(openSecretKey(root, null)).rejects.toThrow(/secret\.key is damaged/)
  })
})
