import { describe, expect, it } from 'vitest'
import { finish, openFolderJob, partOf } from '../../helpers/folder-jobs.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0 })

describe('the files of a job of many files', () => {
  it('are listed in pages as they ended, also after its end', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/b', 'b')
    const id = await openFolderJob(ann)
    await ann.put('photos/a', 'new', partOf(id))
    await ann.put('photos/b', 'replaced', partOf(id))
    await ann.post(`/jobs/${id}/unchanged`, { files: [{ name: 'photos/c', size: 7 }] })
    const error = { code: 'not-accessible', message: 'Permission denied.' }
    await ann.post(`/jobs/${id}/failed`, { files: [{ name: 'photos/d', ...error }] })
    const files = [
      { name: 'photos/a', size: 3, status: 'new', error: null },
      { name: 'photos/b', size: 8, status: 'replaced', error: null },
      { name: 'photos/c', size: 7, status: 'unchanged', error: null },
      { name: 'photos/d', size: null, status: 'failed', error },
    ]
    const list = await ann.call(`/jobs/${id}/files`)
    expect(list).toMatchObject({ status: 200, headers: { 'filejobs-job': id } })
    expect(list.json).toEqual({ files, next: null, complete: true })
    await finish(ann, id)
    const first = (await ann.call(`/jobs/${id}/files?limit=3`)).json
    expect(first).toEqual({ files: files.slice(0, 3), next: expect.any(String), complete: true })
    const second = (await ann.call(`/jobs/${id}/files?limit=3&cursor=${first.next}`)).json
    expect(second).toEqual({ files: files.slice(3), next: null, complete: true })
  })

  it('are listed for an admin, and for no other account', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    await ann.put('photos/a', 'a', partOf(id))
    const ben = await shared.newCaller()
    expect(await ben.call(`/jobs/${id}/files`)).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
    expect((await (await shared.admin()).call(`/jobs/${id}/files`)).json.files).toHaveLength(1)
    await finish(ann, id)
  })

  it('are not there for a job of one file', async () => {
    const ann = await shared.newCaller()
    const id = (await ann.put('a', 'a')).headers['filejobs-job']
    expect(await ann.call(`/jobs/${id}/files`)).toMatchObject({ status: 404, json: { code: 'not-found' } })
  })
})
