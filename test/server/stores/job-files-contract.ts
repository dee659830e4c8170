import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ListedFile } from '../../../dist/protocol/folder-jobs.js'
import type { JobFilePage, JobFiles } from '../../../dist/server/stores/job-files.js'
import { checkAsync } from '../../helpers/properties.js'

export interface OpenedJobFiles {
  lists: JobFiles
  /** The same ones, as a later run of the server finds them. */
  restart(): Promise<OpenedJobFiles>
}

/** What every store of the files of jobs owes its callers. `open` gives fresh ones. */
export function jobFilesContract(open: () => Promise<OpenedJobFiles>): void {
  it('are empty and incomplete for a job without a list', async () => {
    const { lists } = await open()
    expect(await lists.list('missing', { after: 0, limit: 10 })).toEqual({ files: [], next: null, isComplete: false })
    expect(await lists.jobs()).toEqual([])
  })

  it('return each file once, in the order of the calls, whatever the size of the pages', async () => {
    const { lists } = await open()
    const names = fc.array(fc.string({ unit: 'binary' }), { maxLength: 40 })
    let serial = 0
    await checkAsync(
      fc.asyncProperty(names, fc.integer({ min: 1, max: 50 }), async (names, limit) => {
        const [job, other] = [`job-${serial++}`, `other-${serial}`]
        for (const name of names) {
          lists.add(job, fileOf(name))
          lists.add(other, fileOf(`not ${name}`))
        }
        const { files, isComplete } = await readAll(lists, job, limit)
        expect(files).toEqual(names.map(fileOf))
        expect(isComplete).toBe(names.length > 0)
      }),
      30,
    )
  })

  it('include files that are added between two pages', async () => {
    const { lists } = await open()
    lists.add('a', fileOf('1'))
    lists.add('a', fileOf('2'))
    const first = await lists.list('a', { after: 0, limit: 1 })
    lists.add('a', fileOf('3'))
    const second = await lists.list('a', { after: first.next!, limit: 10 })
    expect([...first.files, ...second.files]).toEqual(['1', '2', '3'].map(fileOf))
    expect(second.next).toBeNull()
  })

  it('are preserved by a restart, ended or not, and can be continued', async () => {
    const opened = await open()
    const failed: ListedFile = {
      name: 'x',
      size: null,
      status: 'failed',
      error: { code: 'quota-exceeded', message: '…' },
    }
    opened.lists.add('ended', failed)
    await opened.lists.end('ended')
    opened.lists.add('running', fileOf('1'))
    const { lists } = await opened.restart()
    expect((await lists.jobs()).sort()).toEqual(['ended', 'running'])
    lists.add('running', fileOf('2'))
    expect((await readAll(lists, 'ended', 10)).files).toEqual([failed])
    expect((await readAll(lists, 'running', 10)).files).toEqual(['1', '2'].map(fileOf))
  })

  it('are gone once they are removed, also after a restart; removing a missing one is not an error', async () => {
    const opened = await open()
    opened.lists.add('a', fileOf('1'))
    opened.lists.add('b', fileOf('2'))
    await opened.lists.end('b')
    await opened.lists.remove('a')
    await opened.lists.remove('a')
    await opened.lists.remove('missing')
    expect(await opened.lists.jobs()).toEqual(['b'])
    const { lists } = await opened.restart()
    expect(await lists.jobs()).toEqual(['b'])
    expect((await lists.list('a', { after: 0, limit: 10 })).files).toEqual([])
  })
}

async function readAll(lists: JobFiles, jobId: string, limit: number): Promise<Omit<JobFilePage, 'next'>> {
  const files: ListedFile[] = []
  for (let after = 0; ; ) {
    const page = await lists.list(jobId, { after, limit })
    files.push(...page.files)
    if (page.next === null) return { files, isComplete: page.isComplete }
    after = page.next
  }
}

function fileOf(name: string): ListedFile {
  return { name, size: 10, status: 'new', error: null }
}
