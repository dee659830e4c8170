import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { holdUpload } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'
import { idOf, metadataOf, reprDigestOf, sha256Of, Tus } from '../../helpers/tus.js'

const shared = shareServer({ maxFileSize: 1024 ** 2, shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())
const partials = async (id: string) => {
  const names = await readdir(join(shared.server.dataFolder, 'partial'))
  return names.filter((name) => name.startsWith(id)).sort()
}

describe('creation', () => {
  it('is acknowledged with 201 and a relative Location', async () => {
    const tus = await newTus()
    const { status, headers } = await tus.create()
    expect(status).toBe(201)
    expect(headers.location).toMatch(/^\/tus\/[0-9a-f-]{36}$/)
    expect((await tus.head(headers.location!)).status).toBe(200)
  })

  it('of no bytes is complete at once', async () => {
    const tus = await newTus()
    const { status, headers } = await tus.create({ name: 'empty', length: 0 })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '0' })
    expect((await tus.caller.call('/files/empty')).body.length).toBe(0)
    expect((await tus.caller.job(idOf(headers.location!))).state).toBe('done')
  })

  it('above Tus-Max-Size is refused with 413', async () => {
    const refused = await (await newTus()).create({ length: 1024 ** 2 + 1 })
    expect(refused).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
  })

  it('takes metadata, whose values are Base64 and may be missing, and HEAD gives it back as it came', async () => {
    const tus = await newTus()
    const metadata = `${metadataOf({ filename: 'ä/ö.txt', filetype: 'text/x-test' })},is_secret,note `
    const { headers } = await tus.create({ headers: { 'Upload-Metadata': metadata } })
    expect((await tus.head(headers.location!)).headers['upload-metadata']).toBe(metadata.trim())
    await tus.patch(headers.location!, 0, '0123456789')
    expect((await tus.head(headers.location!)).headers['upload-metadata']).toBe(metadata.trim())
    const answer = await tus.caller.call(`/files/${encodeURIComponent('ä')}/${encodeURIComponent('ö.txt')}`)
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/x-test' } })
  })

  it('takes the media type from the name where the metadata has none', async () => {
    const tus = await newTus()
    await tus.create({ name: 'a.json', length: 2, metadata: { filetype: '' }, body: '{}' })
    expect((await tus.caller.call('/files/a.json')).headers['content-type']).toBe('application/json')
  })

  it('claims the slot: while an upload runs it is 409, and leaves no partial', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'held')
    const id = randomUUID()
    const refused = await tus.create({ headers: { 'Filejobs-Job': id } })
    expect(refused).toMatchObject({ status: 409, json: { code: 'job-running', stop: `/jobs/${held.id}/stop` } })
    expect(await partials(id)).toEqual([])
    held.finish()
    await held.answer
  })

  it('holds the slot against other uploads, before the first byte too', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    expect(await tus.caller.put('other', 'x')).toMatchObject({
      status: 409,
      json: { stop: `/jobs/${idOf(path)}/stop` },
    })
    expect((await tus.create()).status).toBe(409)
    await tus.patch(path, 0, '0123456789')
    expect((await tus.caller.put('other', 'x')).status).toBe(201)
  })

  it('waits for its turn with Prefer: wait', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'held')
    const waiting = tus.create({ headers: { Prefer: 'wait=30' } })
    await tus.caller.findJob('state=waiting')
    held.finish()
    expect((await waiting).status).toBe(201)
  })

  it('that waits and is stopped says so', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'held')
    const waiting = tus.create({ headers: { Prefer: 'wait=30' } })
    const { id } = await tus.caller.findJob('state=waiting')
    expect((await tus.caller.post(`/jobs/${id}/stop`)).status).toBe(200)
    expect(await waiting).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
    held.finish()
    await held.answer
  })

  it('gives the job the id that the client chose, once', async () => {
    const tus = await newTus()
    const id = randomUUID()
    const path = await tus.begin({ headers: { 'Filejobs-Job': id } })
    expect(path).toBe(`/tus/${id}`)
    await tus.remove(path)
    expect((await tus.create({ headers: { 'Filejobs-Job': id } })).json.code).toBe('job-id-used')
  })

  it('honours If-None-Match: *, and looks again at the publish', async () => {
    const tus = await newTus()
    await tus.caller.put('other', 'x')
    const path = await tus.begin({ headers: { 'If-None-Match': '*' } })
    await tus.caller.post('/files/other/move', { to: 'file.bin' })
    const late = await tus.patch(path, 0, '0123456789')
    expect(late).toMatchObject({ status: 412, json: { code: 'precondition-failed' } })
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('x')
    expect(await partials(idOf(path))).toEqual([])
    expect((await tus.create({ headers: { 'If-None-Match': '*' } })).status).toBe(412)
  })

  it('of a file that is there already, with the same digest, is complete at once and moves nothing', async () => {
    const tus = await newTus()
    await tus.caller.put('there', '0123456789')
    const held = await holdUpload(tus.caller, 'held')
    const { status, headers } = await tus.create({ name: 'there', metadata: { sha256: sha256Of('0123456789') } })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '10' })
    expect(headers['repr-digest']).toBe(reprDigestOf('0123456789'))
    const path = headers.location!
    expect((await tus.head(path)).headers).toMatchObject({ 'upload-offset': '10', 'upload-length': '10' })
    // A client that does not look at the offset, and sends all the same, is told where it stands.
    expect(await tus.patch(path, 0, '0123456789')).toMatchObject({ status: 409, json: { offset: 10 } })
    expect(await tus.patch(path, 10, '')).toMatchObject({ status: 204, headers: { 'upload-offset': '10' } })
    held.finish()
    await held.answer
  })
})

describe('creation with upload', () => {
  it('takes the first bytes with the creation, and says how many by Upload-Offset', async () => {
    const tus = await newTus()
    const { status, headers } = await tus.create({ body: '01234' })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '5' })
    await tus.patch(headers.location!, 5, '56789')
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
  })

  it('takes all bytes with the creation', async () => {
    const tus = await newTus()
    const { status, headers } = await tus.create({ body: '0123456789' })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '10' })
    expect(await tus.caller.names()).toEqual(['file.bin'])
  })

  it('needs Content-Type: application/offset+octet-stream', async () => {
    const tus = await newTus()
    const refused = await tus.create({ body: '01234', headers: { 'Content-Type': 'text/plain' } })
    expect(refused.status).toBe(415)
    expect((await tus.create()).status).toBe(201)
  })
})

describe('a deferred length', () => {
  it('is said by Upload-Defer-Length: 1 in every answer to HEAD until it is known', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    await tus.patch(path, 0, '01234')
    const { headers } = await tus.head(path)
    expect(headers).toMatchObject({ 'upload-defer-length': '1', 'upload-offset': '5' })
    expect(headers).not.toHaveProperty('upload-length')
    await tus.patch(path, 5, '56', { 'Upload-Length': '10' })
    const later = await tus.head(path)
    expect(later.headers).toMatchObject({ 'upload-length': '10', 'upload-offset': '7' })
    expect(later.headers).not.toHaveProperty('upload-defer-length')
    await tus.patch(path, 7, '789')
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
  })

  it('must be 1', async () => {
    const tus = await newTus()
    for (const value of ['0', '2', 'true', '']) {
      const refused = await tus.create({ length: null, headers: { 'Upload-Defer-Length': value } })
      expect(refused).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    }
  })

  it('may come with the last bytes, or after them with none', async () => {
    const tus = await newTus()
    const one = await tus.begin({ name: 'one', length: null })
    expect((await tus.patch(one, 0, '01234', { 'Upload-Length': '5' })).headers['upload-offset']).toBe('5')
    const two = await tus.begin({ name: 'two', length: null })
    await tus.patch(two, 0, '01234')
    expect((await tus.patch(two, 5, '', { 'Upload-Length': '5' })).status).toBe(204)
    expect(await tus.caller.names()).toEqual(['one', 'two'])
    expect(await tus.caller.job(idOf(two))).toMatchObject({ state: 'done', totalBytes: 5 })
  })

  it('is not changed once it is known', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    await tus.patch(path, 0, '01234', { 'Upload-Length': '10' })
    expect(await tus.patch(path, 5, '5', { 'Upload-Length': '6' })).toMatchObject({ status: 400 })
    expect((await tus.patch(path, 5, '5', { 'Upload-Length': '10' })).status).toBe(204)
    expect((await tus.head(path)).headers).toMatchObject({ 'upload-length': '10', 'upload-offset': '6' })
  })

  it('still ends at the largest file that the server takes', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    const refused = await tus.patch(path, 0, Buffer.alloc(1024 ** 2 + 1))
    expect(refused).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
  })
})
