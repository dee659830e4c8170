import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openLocalTarget } from '../../../dist/cli/folders/local-target.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const options = { replaces: false, modifiedAt: undefined }

describe('the folder that an export writes to', () => {
  it.each(['../x', '/etc/passwd', 'a/../../x', './x', 'a//b', 'a\\b', 'a\0b', 'a\nb', ''])(
    'has no file of the name %j',
    async (name) => {
      const target = openLocalTarget(await temporaryFolder())
      expect(() => target.pathOf(name)).toThrow(/is not valid on this machine/)
    },
  )

  it('has no files behind a symbolic link', async () => {
    const folder = await temporaryFolder()
    const outside = await temporaryFolder()
    await symlink(outside, `${folder}/link`)
    const target = openLocalTarget(folder)
    expect(() => target.writeFile(target.pathOf('link/a'), Buffer.from('x'), options)).toThrow(/is a symbolic link/)
    expect(await readdir(outside)).toEqual([])
  })

  it('gets whole files with their times, and nothing beside them', async () => {
    const folder = `${await temporaryFolder()}/new`
    const target = openLocalTarget(folder)
    const modifiedAt = new Date('2020-02-02T02:02:02.000Z')
    target.writeFile(target.pathOf('a/b/c'), Buffer.from('content'), { replaces: false, modifiedAt })
    expect(await readFile(`${folder}/a/b/c`, 'utf8')).toBe('content')
    expect((await stat(`${folder}/a/b/c`)).mtime).toEqual(modifiedAt)
    expect(await readdir(folder, { recursive: true })).toEqual(['a', 'a/b', 'a/b/c'])
  })

  it('keeps a file that appeared meanwhile, unless it may be replaced', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/a`, 'mine')
    const target = openLocalTarget(folder)
    const path = target.pathOf('a')
    expect(() => target.writeFile(path, Buffer.from('theirs'), options)).toThrow(/A different file of this name exists/)
    expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual(['mine', ['a']])
    target.writeFile(path, Buffer.from('theirs'), { ...options, replaces: true })
    expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual(['theirs', ['a']])
  })

  it('refuses a file where a folder must be', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/a`, '')
    const target = openLocalTarget(folder)
    expect(() => target.createFolders(target.pathOf('a/b'))).toThrow(/is a file where a folder must be/)
    await mkdir(`${folder}/c`)
    expect(() => target.writeFile(target.pathOf('c'), Buffer.from(''), { ...options, replaces: true })).toThrow()
  })

  it('refuses the second of two names that differ by case, on a disk that ignores it', async () => {
    const folder = await temporaryFolder()
    const target = openLocalTarget(folder, true)
    target.pathOf('Photos/Beach.jpg')
    expect(() => target.pathOf('photos/beach.JPG')).toThrow(/differs from Photos\/Beach\.jpg only by case/)
    expect(target.isTaken(`${folder}/PHOTOS/BEACH.JPG`)).toBe(true)
    expect(target.isTaken(`${folder}/other`)).toBe(false)
    const sensitive = openLocalTarget(folder, false)
    sensitive.pathOf('a')
    expect(sensitive.pathOf('A')).toBe(`${folder}/A`)
  })
})
