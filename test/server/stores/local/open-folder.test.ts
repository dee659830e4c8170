import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inFolderOf, openFolder } from '../../../../dist/server/stores/local/open-folder.js'
import { openRegular } from '../../../../dist/server/stores/local/regular-files.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

describe('an open folder', () => {
  it.runIf(process.platform === 'linux')('stays the target of writes when a symbolic link replaces it', async () => {
    const { inside, outside, swap } = await start()
    await writeFile(join(inside, '../upload'), 'new')
    await inFolderOf(join(inside, 'a'), async (entry) => {
      await swap()
      await rename(join(inside, '../upload'), entry)
    })
    expect(await readdir(outside)).toEqual(['a'])
    expect(await readFile(join(outside, 'a'), 'utf8')).toBe('outside')
    expect(await readFile(join(`${inside}-away`, 'a'), 'utf8')).toBe('new')
  })

  it('is undefined if its path contains a symbolic link', async () => {
    const { inside, swap } = await start()
    await mkdir(join(inside, 'sub'))
    await mkdir(join(inside, '../outside/sub'))
    const folder = await openFolder(join(inside, 'sub'))
    expect(folder).toBeDefined()
    await folder?.close()
    await swap()
    expect(await openFolder(inside)).toBeUndefined()
    expect(await openFolder(join(inside, 'sub'))).toBeUndefined()
    await expect(inFolderOf(join(inside, 'a'), async () => 'done')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('an opened file', () => {
  it('is undefined if its folder was replaced by a symbolic link after the check of its path', async () => {
    const { inside, swap } = await start()
    await swap()
    expect(await openRegular(join(inside, 'a'))).toBeUndefined()
    const moved = await openRegular(join(`${inside}-away`, 'a'))
    expect(moved).toBeDefined()
    await moved?.close()
  })

  it('is the original if another file takes its name', async () => {
    const { inside } = await start()
    await writeFile(join(inside, 'b'), 'other')
    const opened = await openRegular(join(inside, 'a'))
    await rename(join(inside, 'b'), join(inside, 'a'))
    expect(await opened?.readFile('utf8')).toBe('inside')
    await opened?.close()
  })
})

/** A folder with a file, one outside with a file of the same name, and what puts a link to it in the first one's place. */
async function start() {
  const top = await temporaryFolder()
  const [inside, outside] = [join(top, 'inside'), join(top, 'outside')]
  for (const folder of [inside, outside]) await mkdir(folder)
  await writeFile(join(inside, 'a'), 'inside')
  await writeFile(join(outside, 'a'), 'outside')
  return {
    inside,
    outside,
    async swap() {
      await rename(inside, `${inside}-away`)
      await symlink(outside, inside)
    },
  }
}
