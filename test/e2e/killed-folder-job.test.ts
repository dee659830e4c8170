import { describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf } from '../helpers/folder-jobs.js'
import { startServe } from '../helpers/serve.js'
import { partialNames, storedFileList } from '../helpers/stored-state.js'
import { Tus } from '../helpers/tus.js'

describe('a job of many files whose server is killed', () => {
  it('has failed at the next start, which keeps what was published and removes the rest', async () => {
    const first = await startServe()
    const account = { username: 'ann', password: 'correct horse' }
    const { token } = (await new Caller(first, '').post('/auth/signup', account)).json
    const ann = new Caller(first, token)
    const id = await openFolderJob(ann, 'photos/', { files: 5, totalBytes: 400 })
    for (const name of ['a', 'b']) await ann.put(`photos/${name}`, 'x'.repeat(50), partOf(id))
    const tus = new Tus(ann)
    const path = await tus.begin({ name: 'photos/large', length: 100, headers: partOf(id) })
    await tus.patch(path, 0, 'half')
    await holdStreams(ann, id, ['photos/c', 'photos/d'])
    await eventually('both are listed', async () => (await storedFileList(first.dataFolder, id)).includes('photos/b'))
    first.child.kill('SIGKILL')
    await first.ended()

    const second = await startServe({ dataFolder: first.dataFolder })
    const again = new Caller(second, token)
    expect(await again.job(id)).toMatchObject({
      state: 'failed',
      bytes: 100,
      percent: 25,
      error: { code: 'shutting-down' },
      files: { total: 5, done: 2, failed: 0 },
    })
    expect((await again.call(`/jobs/${id}/files`)).json.files).toHaveLength(2)
    expect(await again.names()).toEqual(['photos/a', 'photos/b'])
    await eventually('nothing else is left', async () => (await partialNames(first.dataFolder)).length === 0)
    expect(await finish(again, id)).toMatchObject({ status: 409, json: { code: 'not-running' } })
    expect((await new Tus(again).head(path)).status).toBe(404)
    const next = await openFolderJob(again)
    expect((await again.put('photos/c', 'c', partOf(next))).status).toBe(201)
    await finish(again, next)
  })
})
