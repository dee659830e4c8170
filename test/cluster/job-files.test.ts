import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListedFile } from '../../dist/protocol/folder-jobs.js'
import { systemClock } from '../../dist/server/clock.js'
import { type PostgresJobFilesOptions, postgresJobFiles } from '../../dist/server/stores/postgres/job-files.js'
import { eventually } from '../helpers/eventually.js'
import { TestClock } from '../helpers/test-clock.js'
import { jobFilesContract, type OpenedJobFiles } from '../server/stores/job-files-contract.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'

describe.skipIf(!hasDatabase)('the files of jobs in PostgreSQL', () => {
  const openAgain = (database: TestDatabase): OpenedJobFiles => {
    const lists = openLists(database)
    return {
      lists,
      async restart() {
        await lists.close()
        return openAgain(database)
      },
    }
  }
  jobFilesContract(async () => openAgain(await testDatabase()))

  it('are seen by other servers once they are written, which happens by itself', async () => {
    const database = await testDatabase()
    const [here, there] = [openLists(database), openLists(database)]
    here.add('a', fileOf('1'))
    await eventually('it is written', async () => (await there.list('a', { after: 0, limit: 10 })).files.length === 1)
  })

  it('are cut where a list is too long, and where too many wait for the database', async () => {
    const database = await testDatabase()
    const lists = openLists(database, { maxFiles: 5, maxPending: 3 })
    for (const name of ['1', '2', '3', '4']) lists.add('many at once', fileOf(name))
    expect(await lists.list('many at once', { after: 0, limit: 10 })).toMatchObject({
      files: ['1', '2', '3'].map(fileOf),
      isComplete: false,
    })
    for (const name of ['1', '2', '3', '4', '5', '6', '7']) {
      lists.add('long', fileOf(name))
      await lists.end('long')
    }
    expect(await lists.list('long', { after: 0, limit: 10 })).toMatchObject({
      files: ['1', '2', '3', '4', '5'].map(fileOf),
      next: null,
      isComplete: false,
    })
  })

  it('wait for a database that is away, which is reported once', async () => {
    const database = await testDatabase()
    const errors: unknown[] = []
    const clock = new TestClock()
    const lists = openLists(database, { clock, onError: (error) => errors.push(error) })
    const sql = database.connect(1)
    await sql`alter table job_files rename to elsewhere`
    lists.add('a', fileOf('1'))
    for (let tries = 0; tries < 3; tries++) await clock.advance(200)
    await eventually('it is refused', () => errors.length === 1)
    await sql`alter table elsewhere rename to job_files`
    lists.add('a', fileOf('2'))
    await lists.end('a')
    expect(await lists.list('a', { after: 0, limit: 10 })).toMatchObject({ files: ['1', '2'].map(fileOf) })
    expect(errors).toHaveLength(1)
  })
})

function openLists(database: TestDatabase, options: Partial<PostgresJobFilesOptions> = {}) {
  const onError = (error: unknown) => expect.unreachable(String(error))
  const lists = postgresJobFiles(database.connect(), { clock: systemClock, onError, ...options })
  onTestFinished(() => lists.close())
  return lists
}

function fileOf(name: string): ListedFile {
  return { name, size: 10, status: 'new', error: null }
}
