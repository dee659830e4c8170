import { appendFile, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListedFile } from '../../../../dist/protocol/folder-jobs.js'
import { openJobFiles } from '../../../../dist/server/stores/local/job-files.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { jobFilesContract, type OpenedJobFiles } from '../job-files-contract.js'

describe('the lists of the files of jobs', () => {
  jobFilesContract(async () => open(await temporaryFolder()))

  it('are on the disk, for their owner alone, and found by the next run', async () => {
    const folder = await temporaryFolder()
    const lists = await openJobFiles(folder)
    lists.add('a', fileOf('x'))
    await lists.end('a')
    const path = join(folder, 'job-files', 'a.ndjson')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await appendFile(path, '{"name":"cut by a cra')
    const again = await openJobFiles(folder)
    expect(await again.jobs()).toEqual(['a'])
    expect((await again.list('a', { after: 0, limit: 10 })).files).toEqual([fileOf('x')])
    await again.remove('a')
    await again.remove('a')
    expect(await readdir(join(folder, 'job-files'))).toEqual([])
  })

  it('make room by the removal of the oldest', async () => {
    const folder = await temporaryFolder()
    const lists = await openJobFiles(folder, { maxBytes: 200_000 })
    for (const id of ['a', 'b', 'c']) {
      for (let index = 0; index < 1000; index++) lists.add(id, fileOf(`file ${index} of a long enough name`))
      await lists.end(id)
    }
    expect(await lists.jobs()).toEqual(['b', 'c'])
    await lists.close()
    expect((await readdir(join(folder, 'job-files'))).sort()).toEqual(['b.ndjson', 'c.ndjson'])
  })

  it('are cut where one alone is too long', async () => {
    const folder = await temporaryFolder()
    const lists = await openJobFiles(folder, { maxBytes: 200_000 })
    for (let index = 0; index < 5000; index++) lists.add('a', fileOf(`file ${index} of a long enough name`))
    const page = await lists.list('a', { after: 0, limit: 10_000 })
    expect(page).toMatchObject({ next: null, isComplete: false })
    expect(page.files.length).toBeGreaterThan(1000)
    expect(page.files.length).toBeLessThan(5000)
    expect((await stat(join(folder, 'job-files', 'a.ndjson'))).size).toBeLessThan(210_000)
    const again = await (await openJobFiles(folder)).list('a', { after: 0, limit: 10_000 })
    expect(again).toEqual(page)
  })

  it('end where they cannot be written, which is reported once', async () => {
    const folder = await temporaryFolder()
    const errors: unknown[] = []
    const lists = await openJobFiles(folder, { onError: (error) => errors.push(error) })
    await mkdir(join(folder, 'job-files', 'a.ndjson'), { recursive: true })
    lists.add('a', fileOf('x'))
    await lists.end('a')
    lists.add('a', fileOf('y'))
    await lists.end('a')
    expect(errors).toHaveLength(1)
  })
})

async function open(folder: string): Promise<OpenedJobFiles> {
  const lists = await openJobFiles(folder)
  onTestFinished(() => lists.close())
  return {
    lists,
    async restart() {
      await lists.close()
      return open(folder)
    },
  }
}

function fileOf(name: string): ListedFile {
  return { name, size: 10, status: 'new', error: null }
}
