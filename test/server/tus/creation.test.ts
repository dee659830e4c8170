import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { holdUpload } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { onOneServer } from '../../helpers/only-local.js'
import { connectTo, head, type RawConnection } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { idOf, metadataOf, octets, reprDigestOf, sha256Of, Tus } from '../../helpers/tus.js'

const shared = shareServer({ maxFileSize: 1024 ** 2, shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())
const partials = async (id: string) => {
  const names = await partialNames(shared.server.dataFolder)
  return names.filter((name) => name.startsWith(id)).sort()
}

describe('a tus creation', () => {
  it('is answered 201 with a relative Location', async () => {
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

  it('above Tus-Max-Size is answered 413', async () => {
    const refused = await (await newTus()).create({ length: 1024 ** 2 + 1 })
    expect(refused).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
  })

  it('accepts Base64 metadata with optional values, and HEAD returns it unchanged', async () => {
    const tus = await newTus()
    const metadata = `${metadataOf({ filename: 'ä/ö.txt', filetype: 'text/x-test' })},is_secret,note `
    const { headers } = await tus.create({ headers: { 'Upload-Metadata': metadata } })
    expect((await tus.head(headers.location!)).headers['upload-metadata']).toBe(metadata.trim())
    await tus.patch(headers.location!, 0, '0123456789')
    expect((await tus.head(headers.location!)).headers['upload-metadata']).toBe(metadata.trim())
    const answer = await tus.caller.call(`/files/${encodeURIComponent('ä')}/${encodeURIComponent('ö.txt')}`)
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/x-test' } })
  })

  it('names the file by `name` if the metadata has no `filename`, and by its id if it has neither', async () => {
    const tus = await newTus()
    const upload = async (metadata: string) => {
      const { status, headers } = await tus.create({ headers: { 'Upload-Metadata': metadata } })
      expect(status, metadata).toBe(201)
      expect((await tus.patch(headers.location!, 0, '0123456789')).status).toBe(204)
      return idOf(headers.location!)
    }
    await upload(metadataOf({ name: 'b.txt', filename: 'a.txt' }))
    await upload(metadataOf({ name: 'c.txt', relativePath: 'null' }))
    const ids = [await upload(''), await upload('filename'), await upload('is_secret')]
    expect((await tus.caller.names()).sort()).toEqual([...ids, 'a.txt', 'c.txt'].sort())
    const refused = await tus.create({ headers: { 'Upload-Metadata': metadataOf({ name: '../x' }) } })
    expect(refused).toMatchObject({ status: 400, json: { field: 'name' } })
  })

  it('derives the media type from the name if the metadata has none', async () => {
    const tus = await newTus()
    await tus.create({ name: 'a.json', length: 2, metadata: { filetype: '' }, body: '{}' })
    expect((await tus.caller.call('/files/a.json')).headers['content-type']).toBe('application/json')
  })

  it('needs no slot: it succeeds while an upload runs, and another upload runs beside it', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'held')
    const path = await tus.begin()
    expect(await tus.caller.job(idOf(path))).toMatchObject({ state: 'waiting', bytes: 0 })
    held.finish()
    expect((await held.answer).status).toBe(201)
    expect((await tus.caller.put('other', 'x')).status).toBe(201)
    expect((await tus.patch(path, 0, '0123456789')).status).toBe(204)
  })

  it('repeated because its response was lost creates a second upload with its own location', async () => {
    const tus = await newTus()
    const [first, second] = [await tus.begin(), await tus.begin()]
    expect(first).not.toBe(second)
    expect((await tus.patch(second, 0, '0123456789')).status).toBe(204)
    expect((await tus.remove(first)).status).toBe(204)
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
  })

  it('whose connection breaks before the response leaves nothing, unless the client chose its id', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'held')
    const begin = (name: string, headers: Record<string, string> = {}) => {
      const request = tus.caller.open('/tus', {
        method: 'POST',
        headers: {
          'Tus-Resumable': '1.0.0',
          'Upload-Length': 10,
          'Upload-Metadata': metadataOf({ filename: name }),
          'Content-Type': octets,
          'Content-Length': 5,
          ...headers,
        },
      })
      request.on('error', () => {})
      request.end('01234')
      return request
    }
    const [lost, kept] = [begin('lost'), begin('kept', { 'Filejobs-Job': randomUUID() })]
    const jobOf = (name: string) => tus.caller.findJob('kind=upload', ({ file }) => file === name)
    const ids = [(await jobOf('lost')).id, (await jobOf('kept')).id]
    for (const id of ids) await eventually('its note is there', async () => (await partials(id)).length === 2)
    lost.destroy()
    kept.destroy()
    await eventually('the lost one has ended', async () => (await jobOf('lost')).state === 'failed')
    expect((await jobOf('lost')).error).toMatchObject({ code: 'client-left' })
    expect(await partials(ids[0]!)).toEqual([])
    held.finish()
    await held.answer
    expect((await tus.patch(`/tus/${ids[1]}`, 0, '0123456789')).status).toBe(204)
  })

  onOneServer('nginx may never ask a server', () => {
    it.each([
      ['resets its connection', (connection: RawConnection) => connection.reset()],
      ['closes its connection', (connection: RawConnection) => connection.socket.destroy()],
    ])('whose client %s right after the request leaves nothing', async (_how, leave) => {
      const tus = await newTus()
      const answered = () => shared.server.logged.filter(({ details }) => details.path === '/tus').length
      const before = answered()
      for (let index = 0; index < 10; index++) {
        const connection = await connectTo(tus.caller.url)
        const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': 10, 'Content-Length': 0 }
        const request = head('POST /tus', tus.caller.token, headers)
        await new Promise((resolve) => connection.socket.write(request, resolve))
        leave(connection)
      }
      await eventually('the server has ended all of them', () => answered() === before + 10)
      // A busy system may deliver a reset only after the connection was closed.
      await eventually('hardly any is left', async () => {
        const { jobs } = (await tus.caller.call('/jobs?state=waiting,running,interrupted')).json
        return jobs.length <= 2
      })
    })
  })

  it('uses the job id chosen by the client, once', async () => {
    const tus = await newTus()
    const id = randomUUID()
    const path = await tus.begin({ headers: { 'Filejobs-Job': id } })
    expect(path).toBe(`/tus/${id}`)
    await tus.remove(path)
    expect((await tus.create({ headers: { 'Filejobs-Job': id } })).json.code).toBe('job-id-used')
  })

  it('applies If-None-Match: *, and checks it again at the publish', async () => {
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

  it('of an existing file with the same digest is complete at once without moving bytes', async () => {
    const tus = await newTus()
    await tus.caller.put('there', '0123456789')
    const held = await holdUpload(tus.caller, 'held')
    const { status, headers } = await tus.create({ name: 'there', metadata: { sha256: sha256Of('0123456789') } })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '10' })
    expect(headers['repr-digest']).toBe(reprDigestOf('0123456789'))
    const path = headers.location!
    expect((await tus.head(path)).headers).toMatchObject({ 'upload-offset': '10', 'upload-length': '10' })
    // A client that ignores the offset and sends anyway gets the current one.
    expect(await tus.patch(path, 0, '0123456789')).toMatchObject({ status: 409, json: { offset: 10 } })
    expect(await tus.patch(path, 10, '')).toMatchObject({ status: 204, headers: { 'upload-offset': '10' } })
    held.finish()
    await held.answer
  })
})

describe('a tus creation with upload', () => {
  it('with the id of an upload of another account is rejected, even if the server already has the file', async () => {
    const [ann, bob] = [await newTus(), await newTus()]
    const path = await ann.begin()
    await ann.patch(path, 0, '0123456789')
    await bob.caller.put('known', 'abc')
    const upload = {
      name: 'known',
      length: 3,
      metadata: { sha256: sha256Of('abc') },
      headers: { 'Filejobs-Job': idOf(path) },
    }
    expect(await bob.create(upload)).toMatchObject({ status: 409, json: { code: 'job-id-used' } })
    expect((await ann.head(path)).headers).toMatchObject({ 'upload-offset': '10' })
    expect((await ann.caller.call('/files/file.bin')).status).toBe(200)
  })

  it('stores the first bytes, and reports them as Upload-Offset', async () => {
    const tus = await newTus()
    const { status, headers } = await tus.create({ body: '01234' })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '5' })
    await tus.patch(headers.location!, 5, '56789')
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
  })

  it('stores all bytes', async () => {
    const tus = await newTus()
    const { status, headers } = await tus.create({ body: '0123456789' })
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 201, offset: '10' })
    expect(await tus.caller.names()).toEqual(['file.bin'])
  })

  it('requires Content-Type: application/offset+octet-stream', async () => {
    const tus = await newTus()
    const refused = await tus.create({ body: '01234', headers: { 'Content-Type': 'text/plain' } })
    expect(refused.status).toBe(415)
    expect((await tus.create()).status).toBe(201)
  })
})

describe('a deferred length of a tus upload', () => {
  it('is reported as Upload-Defer-Length: 1 in every HEAD response until the length is known', async () => {
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

  it('can be declared with the last bytes, or after them without bytes', async () => {
    const tus = await newTus()
    const one = await tus.begin({ name: 'one', length: null })
    expect((await tus.patch(one, 0, '01234', { 'Upload-Length': '5' })).headers['upload-offset']).toBe('5')
    const two = await tus.begin({ name: 'two', length: null })
    await tus.patch(two, 0, '01234')
    expect((await tus.patch(two, 5, '', { 'Upload-Length': '5' })).status).toBe(204)
    expect(await tus.caller.names()).toEqual(['one', 'two'])
    expect(await tus.caller.job(idOf(two))).toMatchObject({ state: 'done', totalBytes: 5 })
  })

  it('cannot be changed once declared', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    await tus.patch(path, 0, '01234', { 'Upload-Length': '10' })
    expect(await tus.patch(path, 5, '5', { 'Upload-Length': '6' })).toMatchObject({ status: 400 })
    expect((await tus.patch(path, 5, '5', { 'Upload-Length': '10' })).status).toBe(204)
    expect((await tus.head(path)).headers).toMatchObject({ 'upload-length': '10', 'upload-offset': '6' })
  })

  it('is still limited by the maximum file size', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    const refused = await tus.patch(path, 0, Buffer.alloc(1024 ** 2 + 1))
    expect(refused).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
  })
})
