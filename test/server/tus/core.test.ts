import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { answerOf } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { onOneServer } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { idOf, octets, Tus } from '../../helpers/tus.js'

// Each test is named after a statement of https://tus.io/protocols/resumable-upload (1.0.0) that binds a server.
const shared = shareServer({ maxFileSize: 1024 ** 2, shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())

describe('tus HEAD', () => {
  it('always returns Upload-Offset, even at 0 and when the upload is complete', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    expect((await tus.head(path)).headers['upload-offset']).toBe('0')
    await tus.patch(path, 0, '01234')
    expect((await tus.head(path)).headers['upload-offset']).toBe('5')
    await tus.patch(path, 5, '56789')
    expect(await tus.head(path)).toMatchObject({
      status: 200,
      headers: { 'upload-offset': '10', 'upload-length': '10' },
    })
  })

  it('returns Upload-Length if the size is known', async () => {
    const tus = await newTus()
    expect((await tus.head(await tus.begin({ length: 10 }))).headers['upload-length']).toBe('10')
  })

  it('answers 404, 410 or 403 without Upload-Offset if there is no such upload', async () => {
    const { status, headers } = await (await newTus()).head(`/tus/${randomUUID()}`)
    expect(status).toBe(404)
    expect(headers).not.toHaveProperty('upload-offset')
  })

  it('prevents caching with Cache-Control: no-store', async () => {
    const tus = await newTus()
    expect((await tus.head(await tus.begin())).headers['cache-control']).toBe('no-store')
  })
})

describe('tus PATCH', () => {
  it('applies the bytes at the offset, and publishes the file with the last of them', async () => {
    const tus = await newTus()
    const path = await tus.begin({ name: 'a/b.txt', length: 11 })
    expect((await tus.patch(path, 0, 'hello ')).status).toBe(204)
    expect(await tus.caller.names()).toEqual([])
    expect((await tus.patch(path, 6, 'world')).status).toBe(204)
    expect((await tus.caller.call('/files/a/b.txt')).body.toString()).toBe('hello world')
    expect(await tus.caller.job(idOf(path))).toMatchObject({
      state: 'done',
      bytes: 11,
      totalBytes: 11,
      file: 'a/b.txt',
    })
  })

  it('is answered 415 for a Content-Type other than application/offset+octet-stream', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    for (const type of ['application/octet-stream', 'text/plain', '']) {
      expect((await tus.patch(path, 0, 'x', { 'Content-Type': type })).status).toBe(415)
    }
    expect(await tus.offset(path)).toBe(0)
  })

  it('is answered 409 if the offsets do not match, without modifying the upload', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '012')
    for (const offset of [0, 2, 4, 10, 11]) {
      const refused = await tus.patch(path, offset, 'x')
      expect(refused).toMatchObject({ status: 409, json: { code: 'offset-mismatch', offset: 3 } })
    }
    expect(await tus.offset(path)).toBe(3)
    await tus.patch(path, 3, '3456789')
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
  })

  it('is answered 204 with the new Upload-Offset: the old one plus the bytes received', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    expect(await tus.patch(path, 0, '012')).toMatchObject({ status: 204, headers: { 'upload-offset': '3' } })
    expect(await tus.patch(path, 3, '')).toMatchObject({ status: 204, headers: { 'upload-offset': '3' } })
    expect(await tus.patch(path, 3, '3456789')).toMatchObject({ status: 204, headers: { 'upload-offset': '10' } })
  })

  it('is answered 404 if there is no such upload', async () => {
    const refused = await (await newTus()).patch(`/tus/${randomUUID()}`, 0, 'x')
    expect(refused).toMatchObject({ status: 404, json: { code: 'upload-not-found' } })
  })

  it('keeps as much of the received data as possible when the connection breaks', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    const bytes = Buffer.alloc(300_000, 'abc')
    const held = await tus.hold(path, 0, bytes)
    held.request.destroy()
    await eventually('it is interrupted', async () => (await tus.caller.job(idOf(path))).state === 'interrupted')
    expect(await tus.offset(path)).toBe(300_000)
    await tus.patch(path, 300_000, Buffer.alloc(700_000, 'd'))
    const { body } = await tus.caller.call('/files/file.bin')
    expect(body.equals(Buffer.concat([bytes, Buffer.alloc(700_000, 'd')]))).toBe(true)
  })

  it('accepts a chunked body of undeclared length', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const headers = { 'Tus-Resumable': '1.0.0', 'Content-Type': octets, 'Upload-Offset': '0' }
    const request = tus.caller.open(path, { method: 'PATCH', headers: { ...headers, 'Transfer-Encoding': 'chunked' } })
    request.write('01234')
    request.end('56789')
    expect(await answerOf(request)).toMatchObject({ status: 204, headers: { 'upload-offset': '10' } })
  })

  onOneServer('nginx sends it before any server has the request', () => {
    it('sends 100 Continue after the checks', async () => {
      const tus = await newTus()
      const path = await tus.begin()
      const open = (offset: number) => {
        const headers = {
          'Tus-Resumable': '1.0.0',
          'Content-Type': octets,
          'Upload-Offset': offset,
          Expect: '100-continue',
        }
        const request = tus.caller.open(path, { method: 'PATCH', headers: { ...headers, 'Content-Length': 10 } })
        request.flushHeaders()
        return request
      }
      const refused = open(5)
      refused.on('continue', () => expect.unreachable('the offset is wrong'))
      const answer = answerOf(refused)
      expect((await answer).status).toBe(409)
      refused.destroy()
      const request = open(0)
      request.on('continue', () => request.end('0123456789'))
      expect((await answerOf(request)).status).toBe(204)
    })
  })
})

describe('tus OPTIONS', () => {
  it('answers 204 with Tus-Version, Tus-Extension, Tus-Checksum-Algorithm and Tus-Max-Size, without a token', async () => {
    const answer = await fetch(`${shared.server.url}/tus`, { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension':
        'creation,creation-with-upload,creation-defer-length,checksum,checksum-trailer,expiration,termination',
      'tus-checksum-algorithm': 'sha1,sha256,sha512',
      'tus-max-size': String(1024 ** 2),
    })
  })

  it('ignores Tus-Resumable', async () => {
    const answer = await fetch(`${shared.server.url}/tus`, { method: 'OPTIONS', headers: { 'Tus-Resumable': '0.2.2' } })
    expect(answer.status).toBe(204)
  })
})

describe('every tus request', () => {
  it('except OPTIONS is answered with Tus-Resumable, errors included', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const answers = await Promise.all([
      tus.create({ name: '../x' }),
      tus.patch(path, 7, 'x'),
      tus.head(`/tus/${randomUUID()}`),
      tus.send('PUT', path),
      tus.send('HEAD', path, { Authorization: 'Bearer nonsense' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 409, 404, 405, 401])
    for (const { headers } of answers) expect(headers['tus-resumable']).toBe('1.0.0')
  })

  it('with another version of tus, or none, is answered 412 with Tus-Version and not processed', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    for (const version of ['0.2.2', '1.0.1', '2.0.0', '']) {
      const refused = await tus.patch(path, 0, 'x', { 'Tus-Resumable': version })
      expect(refused).toMatchObject({ status: 412, headers: { 'tus-version': '1.0.0' } })
    }
    expect((await tus.caller.call(path, { method: 'HEAD' })).status).toBe(412)
    expect(await tus.offset(path)).toBe(0)
  })

  it('has the method of X-HTTP-Method-Override', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const override = (method: string) => ({ 'X-HTTP-Method-Override': method })
    const patch = { 'Content-Type': octets, 'Upload-Offset': '0', ...override('PATCH') }
    expect((await tus.send('POST', path, patch, '01234')).status).toBe(204)
    expect(await tus.send('GET', path, override('HEAD'))).toMatchObject({
      status: 200,
      headers: { 'upload-offset': '5' },
    })
    expect((await tus.send('POST', path, override('DELETE'), '')).status).toBe(204)
    expect((await tus.caller.job(idOf(path))).state).toBe('stopped')
    const headers = { ...override('POST'), 'Upload-Length': '1', 'Upload-Metadata': 'filename YQ==' }
    expect((await tus.send('PATCH', '/tus', headers, '')).status).toBe(201)
  })

  it('requires a token of an account that may upload', async () => {
    const tus = new Tus(await shared.newCaller('client'))
    expect(await tus.create()).toMatchObject({ status: 403, json: { code: 'not-allowed' } })
    const refused = await tus.send('POST', '/tus', { Authorization: 'Bearer nonsense' }, '')
    expect(refused).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
  })
})
