import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type Answer, answerOf, type Caller } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { expectContinue, finish, openFolderJob, partOf } from '../../helpers/folder-jobs.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { Tus } from '../../helpers/tus.js'

const octets = 'application/offset+octet-stream'
const shared = shareServer({ shutdownGraceMs: 0 })

describe('a form', () => {
  it('is one stream of a job of many files, with all of its files', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const answers = await Promise.all([
      sendForm(ann, id, ['photos/a', 'photos/b']),
      sendForm(ann, id, ['photos/c/d', 'photos/e']),
    ])
    expect(answers.map(({ status, headers }) => [status, headers['filejobs-job']])).toEqual(Array(2).fill([201, id]))
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 4, bytes: 4 * 7, created: 4 })
    expect((await ann.call('/jobs')).json.jobs).toHaveLength(1)
  })

  it('with a name outside of the prefix is refused as a whole', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    expect(await sendForm(ann, id, ['photos/a', 'b'])).toMatchObject({ status: 409, json: { code: 'not-joinable' } })
    expect((await finish(ann, id)).json.job).toMatchObject({ bytes: 0, files: { done: 0 } })
    expect(await ann.names()).toEqual([])
  })
})

describe('an export', () => {
  it('is one stream of a job of exports, by GET and by POST /export', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/a', 'content of a')
    await ann.put('photos/b', 'content of b')
    const id = await openFolderJob(ann, 'photos/', { kind: 'export' })
    const got = await ann.call('/files/photos/a', { headers: partOf(id) })
    expect({ body: got.body.toString(), job: got.headers['filejobs-job'] }).toEqual({ body: 'content of a', job: id })
    const posted = await ann.call('/export', { method: 'POST', body: { filename: 'photos/b' }, headers: partOf(id) })
    expect(posted.body.toString()).toBe('content of b')
    const begin = { ...partOf(id), Range: 'bytes=0-3' }
    expect((await ann.call('/files/photos/a', { headers: begin })).status).toBe(206)
    expect(await finish(ann, id)).toMatchObject({
      status: 200,
      json: { published: { files: 2, bytes: 24 }, job: { kind: 'export', state: 'done', files: { done: 2 } } },
    })
    expect((await ann.call('/jobs?kind=export')).json.jobs).toHaveLength(1)
  })

  it('is cut by a stop of its job, and no longer joins it', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/big', Buffer.alloc(20_000_000))
    const id = await openFolderJob(ann, 'photos/', { kind: 'export' })
    await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 1000 } })
    const requests = [1, 2, 3].map(() => ann.open('/files/photos/big', { headers: partOf(id) }).end())
    const cut = requests.map((request) => expect(answerOf(request)).rejects.toThrow(/aborted|ECONNRESET|hang up/))
    // One that has not begun is answered instead.
    await within('all of them have begun', Promise.all(requests.map((request) => once(request, 'response'))))
    const receipt = await ann.post('/export/stop')
    expect(receipt).toMatchObject({ status: 200, json: { bytesDiscarded: 0, cleanedUp: true, job: { id } } })
    expect(receipt.json.published).toEqual({ files: 0, bytes: 0 })
    await Promise.all(cut)
    expect(await ann.call('/files/photos/big', { headers: partOf(id) })).toMatchObject({
      status: 409,
      json: { code: 'job-stopped' },
    })
  })

  it('cannot join a job of uploads', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/a', 'a')
    const id = await openFolderJob(ann)
    expect(await ann.call('/files/photos/a', { headers: partOf(id) })).toMatchObject({
      status: 409,
      json: { code: 'not-joinable' },
    })
    await finish(ann, id)
  })
})

describe('a resumable upload', () => {
  it('is part of a job of many files without a job of its own, over all of its requests', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const uploads = await Promise.all(['photos/a', 'photos/b'].map((name) => createTus(ann, id, name, 10)))
    for (const { path } of uploads) expect(await patch(ann, path, 0, 'hello')).toMatchObject({ status: 204 })
    expect(await ann.job(id)).toMatchObject({ bytes: 10, files: { done: 0 } })
    for (const { path } of uploads) {
      const head = await new Tus(ann).head(path)
      expect(head.headers).toMatchObject({ 'upload-offset': '5', 'upload-length': '10' })
      expect((await patch(ann, path, 5, 'world', partOf(id))).headers['upload-offset']).toBe('10')
    }
    expect((await finish(ann, id)).json).toMatchObject({
      published: { files: 2, bytes: 20, created: 2, failed: 0 },
      job: { bytes: 20 },
    })
    expect((await ann.call('/jobs')).json.jobs).toHaveLength(1)
    expect((await ann.call('/files/photos/a')).body.toString()).toBe('helloworld')
    const head = await new Tus(ann).head(uploads[0]!.path)
    expect(head).toMatchObject({ status: 200, headers: { 'upload-offset': '10' } })
    expect(await partials()).toEqual([])
  })

  it('keeps the bytes of a broken request, which counts as failed until the file is complete', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const { path } = await createTus(ann, id, 'photos/a', 10)
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Offset': 0, 'Content-Type': octets, 'Content-Length': 10 }
    const broken = ann.open(path, { method: 'PATCH', headers })
    broken.on('error', () => {})
    broken.write('hello')
    await eventually('five bytes arrive', async () => (await ann.job(id)).bytes === 5)
    broken.destroy()
    await eventually('it has failed', async () => (await ann.job(id)).files?.failed === 1)
    expect(await ann.job(id)).toMatchObject({ bytes: 5 })
    const head = await new Tus(ann).head(path)
    expect(head.headers['upload-offset']).toBe('5')
    await patch(ann, path, 5, 'world')
    expect((await finish(ann, id)).json).toMatchObject({ published: { files: 1, failed: 0 }, job: { bytes: 10 } })
  })

  it('is removed when its job is stopped, or finished without it', async () => {
    const ann = await shared.newCaller()
    for (const end of ['stop', 'finish'] as const) {
      const id = await openFolderJob(ann)
      const { path } = await createTus(ann, id, 'photos/a', 10)
      await patch(ann, path, 0, 'hello')
      const { status, json } = await ann.post(`/jobs/${id}/${end}`)
      expect(status).toBe(200)
      if (end === 'stop') expect(json).toMatchObject({ bytesDiscarded: 5, cleanedUp: true })
      else expect(json).toMatchObject({ published: { files: 0, failed: 1 }, job: { bytes: 0 } })
      expect((await new Tus(ann).head(path)).status).toBe(404)
      expect(await partials()).toEqual([])
    }
  })

  it('can be removed alone, and its job continues', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const { path } = await createTus(ann, id, 'photos/a', 10)
    await patch(ann, path, 0, 'hello')
    expect((await new Tus(ann).send('DELETE', path)).status).toBe(204)
    expect(await ann.job(id)).toMatchObject({ state: 'running', bytes: 0 })
    expect((await ann.put('photos/a', 'a', partOf(id))).status).toBe(201)
    await finish(ann, id)
  })

  it('with a wrong digest is removed, and can be sent again', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const wrong = { sha256: '0'.repeat(64) }
    const { path } = await createTus(ann, id, 'photos/a', 5, wrong)
    expect((await patch(ann, path, 0, 'hello')).status).toBe(422)
    expect(await ann.job(id)).toMatchObject({ bytes: 0, files: { failed: 1 } })
    expect((await new Tus(ann).head(path)).status).toBe(404)
    const again = await createTus(ann, id, 'photos/a', 5)
    expect((await patch(ann, again.path, 0, 'hello')).status).toBe(204)
    expect((await finish(ann, id)).json).toMatchObject({ published: { files: 1, failed: 0 }, job: { bytes: 5 } })
  })

  it('is created, and continued, for a job of its account that runs, and for no other', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const { path } = await createTus(ann, id, 'photos/a', 10)
    const ben = await shared.newCaller()
    expect((await createTus(ben, id, 'photos/a', 10)).answer).toMatchObject({ status: 404 })
    expect(await patch(ben, path, 0, 'hello')).toMatchObject({ status: 404, json: { code: 'upload-not-found' } })
    expect((await createTus(ann, id, 'a', 10)).answer).toMatchObject({ status: 409, json: { code: 'not-joinable' } })
    const other = await patch(ann, path, 0, 'hello', partOf(randomUUID()))
    expect(other).toMatchObject({ status: 409, json: { code: 'not-joinable' } })
    await finish(ann, id)
    const headers = partOf(id, {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': 5,
      'Upload-Metadata': `filename ${btoa('photos/a')}`,
      'Content-Type': octets,
    })
    const refused = await expectContinue(ann, '/tus', headers, 'POST')
    expect(refused).toMatchObject({ status: 409, json: { code: 'not-running' }, continued: false })
    const own = await createTus(ann, undefined, 'photos/a', 5)
    expect(await patch(ann, own.path, 0, 'hello', partOf(id))).toMatchObject({ json: { code: 'not-joinable' } })
    expect((await patch(ann, own.path, 0, 'hello')).status).toBe(204)
  })

  it('is answered with the stop of its job, whenever its next bytes come', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const { path } = await createTus(ann, id, 'photos/a', 100)
    const stop = ann.post(`/jobs/${id}/stop`)
    const next = Array.from({ length: 8 }, () => patch(ann, path, 0, 'hello', partOf(id)))
    expect((await stop).status).toBe(200)
    const codes = (await Promise.all(next)).map(({ status, json }) => (status === 204 ? 204 : json.code))
    expect([204, 'taken-over', 'job-stopped', 'offset-mismatch']).toEqual(expect.arrayContaining(codes))
    expect(await patch(ann, path, 0, 'hello', partOf(id))).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
  })
})

async function createTus(
  caller: Caller,
  id: string | undefined,
  name: string,
  length: number,
  metadata: Record<string, string> = {},
): Promise<{ path: string; answer: Answer }> {
  const headers = id === undefined ? {} : partOf(id)
  const answer = await new Tus(caller).create({ name, length, metadata, headers })
  return { path: answer.headers.location ?? '', answer }
}

function patch(caller: Caller, path: string, offset: number, body: string, more = {}): Promise<Answer> {
  return new Tus(caller).patch(path, offset, body, more)
}

/** Files of seven bytes. */
function sendForm(caller: Caller, id: string, names: string[]): Promise<Answer> {
  const parts = names.map((name) => {
    return `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\ncontent\r\n`
  })
  const headers = partOf(id, { 'Content-Type': 'multipart/form-data; boundary=b' })
  return caller.call('/upload', { method: 'POST', body: `${parts.join('')}--b--\r\n`, headers })
}

function partials(): Promise<string[]> {
  return partialNames(shared.server.dataFolder)
}
