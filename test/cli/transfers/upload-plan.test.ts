import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type PlannedUpload, planUpload } from '../../../dist/cli/transfers/upload-plan.js'
import { asNobodyInstead } from '../../helpers/as-nobody.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function folderWithFiles() {
  const folder = await temporaryFolder()
  await mkdir(`${folder}/photos/2024`, { recursive: true })
  for (const name of ['a.txt', 'photos/b.jpg', 'photos/2024/c.jpg']) await writeFile(`${folder}/${name}`, name)
  return folder
}

async function namesOf(sources: string[], name?: string) {
  return (await planUpload(sources, name)).items.map((item) => item.name)
}

const failureOf = ({ failure }: PlannedUpload) => (failure instanceof Error ? failure.message : undefined)

describe('the plan of an upload', () => {
  it('has a file under its own name, and a folder under its name with everything in it', async () => {
    const folder = await folderWithFiles()
    const names = ['a.txt', 'photos/2024/c.jpg', 'photos/b.jpg']
    expect(await namesOf([`${folder}/a.txt`, `${folder}/photos/`])).toEqual(names)
  })

  it('renames a source as a whole, or puts it into a folder', async () => {
    const folder = await folderWithFiles()
    expect(await namesOf([`${folder}/a.txt`], 'x/y.txt')).toEqual(['x/y.txt'])
    expect(await namesOf([`${folder}/photos`], 'p')).toEqual(['p/2024/c.jpg', 'p/b.jpg'])
    expect(await namesOf([`${folder}/a.txt`, `${folder}/photos/b.jpg`], 'in/')).toEqual(['in/a.txt', 'in/b.jpg'])
  })

  it('skips symbolic links inside folders, and reports them', async () => {
    const folder = await folderWithFiles()
    await symlink(`${folder}/a.txt`, `${folder}/photos/link`)
    const plan = await planUpload([`${folder}/photos`], undefined)
    expect(plan.skipped).toEqual([`${folder}/photos/link`])
    expect(plan.items).toHaveLength(2)
  })

  it('has names in Unicode normalization form C, whatever the disk stores', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/u\u0308ber.txt`, '')
    const { items } = await planUpload([`${folder}/u\u0308ber.txt`], undefined)
    expect(items).toEqual([{ path: `${folder}/u\u0308ber.txt`, name: 'über.txt' }])
  })

  it('reports a file whose name is not UTF-8', async () => {
    const folder = await temporaryFolder()
    await writeFile(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff])]), '')
    await writeFile(`${folder}/good`, '')
    const { items } = await planUpload([folder], undefined)
    expect(items.map(failureOf)).toEqual([expect.stringMatching(/not valid UTF-8/), undefined])
  })

  it('rejects two files with the same name', async () => {
    const folder = await folderWithFiles()
    await writeFile(`${folder}/photos/a.txt`, '')
    await expect(planUpload([`${folder}/a.txt`, `${folder}/photos/a.txt`], undefined)).rejects.toThrow(/both be called/)
  })

  it('requires a name for stdin', async () => {
    await expect(planUpload(['-'], undefined)).rejects.toThrow(/--name/)
    expect(await namesOf(['-'], 'dir.tar')).toEqual(['dir.tar'])
  })

  it('reports a missing file, and still lists the others', async () => {
    const folder = await folderWithFiles()
    const { items } = await planUpload(['/nowhere/x', `${folder}/a.txt/y`, `${folder}/a.txt`], 'in/')
    expect(items.map((item) => [item.name, failureOf(item)])).toEqual([
      ['in/x', 'There is no file /nowhere/x.'],
      ['in/y', expect.stringMatching(/ENOTDIR/)],
      ['in/a.txt', undefined],
    ])
  })

  it('reports an unreadable folder, and still lists the others', async () => {
    const folder = await folderWithFiles()
    await chmod(folder, 0o755)
    await chmod(`${folder}/photos/2024`, 0)
    const { items } = await asNobodyInstead(() => planUpload([`${folder}/photos`], undefined))
    await chmod(`${folder}/photos/2024`, 0o700)
    expect(items.map((item) => [item.name, failureOf(item)])).toEqual([
      ['photos/2024', expect.stringMatching(/EACCES/)],
      ['photos/b.jpg', undefined],
    ])
  })

  it('cannot rename several sources', async () => {
    const folder = await folderWithFiles()
    await expect(planUpload([`${folder}/a.txt`, `${folder}/photos`], 'x')).rejects.toThrow(/--name/)
  })
})
