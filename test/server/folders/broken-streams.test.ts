import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Answer, answerOf, Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { finish, openFolderJob, partOf } from '../../helpers/folder-jobs.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { type TarPart, tarOf } from '../../helpers/tars.js'

const shared = shareServer({ shutdownGraceMs: 0 })

/** More than a batch. */
const parts: TarPart[] = Array.from({ length: 150 }, (_, index) => ({ name: `f${index}`, content: `${index}` }))
const half = tarOf(parts).subarray(0, 140 * 1024 + 300)
const hostile = [...parts.slice(0, 140), { name: 'link', type: '2', link: '/etc' }, ...parts.slice(140)]

const sendTar = (ann: Caller, id: string, body: Buffer): Promise<Answer> =>
  ann.call('/files/photos/?extract=tar', { method: 'PUT', body, headers: partOf(id) })

function formOf(names: string[], ends = true): Buffer {
  const files = names.map((name) => {
    const disposition = `Content-Disposition: form-data; name="file"; filename="${name}"`
    return `--edge\r\n${disposition}\r\n\r\ncontent of ${name}\r\n`
  })
  return Buffer.from(files.join('') + (ends ? '--edge--\r\n' : ''))
}

const sendForm = (ann: Caller, id: string, body: Buffer): Promise<Answer> => {
  const headers = partOf(id, { 'Content-Type': 'multipart/form-data; boundary=edge' })
  return ann.call('/upload', { method: 'POST', body, headers })
}

/** Sends a part of a tar and hangs up. */
async function cut(ann: Caller, id: string, body: Buffer): Promise<void> {
  const request = ann.open('/files/photos/?extract=tar', {
    method: 'PUT',
    headers: partOf(id, { 'Content-Length': 1e6 }),
  })
  answerOf(request).catch(() => {})
  request.write(body)
  await eventually('a batch has arrived', async () => ((await ann.job(id)).files?.done ?? 0) >= 128)
  request.destroy()
  await eventually('the stream has failed', async () => (await ann.job(id)).files?.failed === 1)
}

const photos = ['photos/a', 'photos/b', 'photos/c']
const refuse = async (answer: Promise<Answer>, status: number) => expect((await answer).status).toBe(status)

/** Each breaks a request, and sends the whole of it again. */
const ways: Record<
  string,
  { breaks(ann: Caller, id: string): Promise<void>; repeat(ann: Caller, id: string): Promise<Answer>; files: number }
> = {
  'a tar that ends too early': {
    breaks: (ann, id) => refuse(sendTar(ann, id, half), 400),
    repeat: (ann, id) => sendTar(ann, id, tarOf(parts)),
    files: 150,
  },
  'a tar without its end marker': {
    breaks: (ann, id) => refuse(sendTar(ann, id, tarOf(parts, { ends: false })), 400),
    repeat: (ann, id) => sendTar(ann, id, tarOf(parts)),
    files: 150,
  },
  'a hostile entry of a tar': {
    breaks: (ann, id) => refuse(sendTar(ann, id, tarOf(hostile)), 400),
    repeat: (ann, id) => sendTar(ann, id, tarOf(parts)),
    files: 150,
  },
  'something that is no tar': {
    breaks: (ann, id) => refuse(sendTar(ann, id, Buffer.alloc(2048, 'no tar')), 400),
    repeat: (ann, id) => sendTar(ann, id, tarOf(parts)),
    files: 150,
  },
  'the lost connection of a tar': {
    breaks: (ann, id) => cut(ann, id, half),
    repeat: (ann, id) => sendTar(ann, id, tarOf(parts)),
    files: 150,
  },
  'a form that ends too early': {
    breaks: (ann, id) => refuse(sendForm(ann, id, formOf(photos.slice(0, 2), false)), 400),
    repeat: (ann, id) => sendForm(ann, id, formOf(photos)),
    files: 3,
  },
  'a form with a name that is not below the folder': {
    breaks: (ann, id) => refuse(sendForm(ann, id, formOf(['photos/a', 'b', 'photos/c'])), 409),
    repeat: (ann, id) => sendForm(ann, id, formOf(photos)),
    files: 3,
  },
}

describe.each(Object.entries(ways))('a job that publishes together publishes, after %s,', (_, way) => {
  it('nothing, because other files may be missing', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    await ann.put('photos/single', 'x', partOf(id))
    await way.breaks(ann, id)
    expect((await ann.job(id)).files).toMatchObject({ failed: 1, failures: [{ name: 'photos/' }] })
    const finished = await finish(ann, id)
    expect(finished).toMatchObject({ status: 409, json: { code: 'files-failed' } })
    expect(finished.json.message).toMatch(/^Nothing was published, because 1 file failed: photos\/: .*send it again/)
    expect(await ann.names()).toEqual([])
  })

  it('everything, once, when all of it was sent again', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    await way.breaks(ann, id)
    expect((await way.repeat(ann, id)).status).toBeLessThan(300)
    const { status, json } = await finish(ann, id)
    expect(status).toBe(200)
    expect(json).toMatchObject({
      published: { files: way.files, created: way.files, failed: 0 },
      job: { files: { done: way.files, failed: 0, failures: [] } },
    })
    expect(json.job.bytes).toBe(json.published.bytes)
    expect(await ann.names()).toHaveLength(way.files)
  })
})

describe('a tar that broke, of a job that publishes together,', () => {
  it('is repeated by what had not arrived, but not by a tar of other files', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    await sendTar(ann, id, half)
    await sendTar(ann, id, tarOf([{ name: 'other', content: 'x' }]))
    expect((await ann.job(id)).files).toMatchObject({ failed: 1 })
    await sendTar(ann, id, tarOf(parts.slice(128)))
    expect((await ann.job(id)).files).toMatchObject({ failed: 0 })
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 151 })
  })

  it('is missed until each of several has been repeated', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    const [first, second] = [parts.slice(0, 3), parts.slice(3, 6)]
    for (const each of [first, second]) await sendTar(ann, id, tarOf(each, { ends: false }))
    await sendTar(ann, id, tarOf(first))
    expect((await ann.job(id)).files).toMatchObject({ failed: 1 })
    await sendTar(ann, id, tarOf(second))
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 6, failed: 0 })
  })

  it('is not missed when as many files have arrived as were announced', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together', files: 150 })
    await sendTar(ann, id, half)
    for (const { name, content } of parts.slice(128, 150)) await ann.put(`photos/${name}`, content!, partOf(id))
    expect((await finish(ann, id)).json).toMatchObject({
      published: { files: 150, failed: 0 },
      job: { files: { failed: 0, failures: [] } },
    })
  })

  it('is missed where a file that was announced is', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together', files: 150 })
    await sendTar(ann, id, half)
    for (const { name, content } of [...parts.slice(128, 149), parts[128]!]) {
      await ann.put(`photos/${name}`, content!, partOf(id))
    }
    expect(await finish(ann, id)).toMatchObject({ status: 409, json: { code: 'files-failed' } })
  })

  it('is called "/" where the job has no folder', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, '', { publish: 'together' })
    const send = (body: Buffer) => ann.call('/files/?extract=tar', { method: 'PUT', body, headers: partOf(id) })
    await send(half)
    expect((await ann.job(id)).files).toMatchObject({ failures: [{ name: '/', code: 'invalid-request' }] })
    await send(tarOf(parts))
    expect((await finish(ann, id)).status).toBe(200)
  })

  it('is no failure where each file is published by itself', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    await sendTar(ann, id, half)
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 140, failed: 0 })
  })
})

describe('a job that publishes together', () => {
  it('publishes nothing after a form that was refused for its size', async () => {
    const server = await startTestServer({ quota: 1000, shutdownGraceMs: 0 })
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    await ann.put('photos/a', 'x', partOf(id))
    await refuse(sendForm(ann, id, formOf(Array.from({ length: 50 }, (_, index) => `photos/${index}`))), 413)
    expect(await finish(ann, id)).toMatchObject({ status: 409, json: { code: 'files-failed' } })
    expect(await ann.names()).toEqual([])
  })

  it('does not miss a tar that was refused before its body', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    const outside = await ann.call('/files/other/?extract=tar', {
      method: 'PUT',
      body: tarOf(parts),
      headers: partOf(id),
    })
    expect(outside).toMatchObject({ status: 409, json: { code: 'not-joinable' } })
    expect((await finish(ann, id)).status).toBe(200)
  })

  it('publishes nothing while a resumable upload is incomplete', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together' })
    await ann.put('photos/whole', 'whole', partOf(id))
    const metadata = `filename ${Buffer.from('photos/half').toString('base64')}`
    const created = await ann.call('/tus', {
      method: 'POST',
      headers: partOf(id, { 'Tus-Resumable': '1.0.0', 'Upload-Length': 10, 'Upload-Metadata': metadata }),
    })
    expect(created.status).toBe(201)
    const finished = await finish(ann, id)
    expect(finished).toMatchObject({ status: 409, json: { code: 'files-failed' } })
    expect(finished.json.failures).toMatchObject([{ name: 'photos/half', code: 'client-left' }])
    expect(await ann.names()).toEqual([])
  })

  it('counts a file once that arrives twice, and replaces it', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, 'photos/', { publish: 'together', files: 2, totalBytes: 10 })
    for (const content of ['first', 'other']) await ann.put('photos/a', content, partOf(id))
    await ann.post(`/jobs/${id}/unchanged`, { files: [{ name: 'photos/a', size: 3 }] })
    await ann.put('photos/a', 'third', partOf(id))
    expect(await ann.job(id)).toMatchObject({ bytes: 5, percent: 50, files: { done: 1, unchanged: 0 } })
    expect((await finish(ann, id)).json).toMatchObject({ published: { files: 1, bytes: 5, unchanged: 0 } })
    const { body, headers } = await ann.call('/files/photos/a')
    const sha256 = createHash('sha256').update('third').digest('base64')
    expect([body.toString(), headers['repr-digest']]).toEqual(['third', `sha-256=:${sha256}:`])
  })
})
