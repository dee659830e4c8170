import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answerOf, holdUpload } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'
import { idOf, metadataOf, octets, Tus } from '../../helpers/tus.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())

describe('a creation', () => {
  it('is refused with 400 for a length that is no number of bytes, and claims nothing', async () => {
    const tus = await newTus()
    for (const length of [
      '-1',
      '1.5',
      '0x10',
      '1e3',
      'ten',
      '',
      ' ',
      '99999999999999999999',
      '9007199254740993',
      '+1',
    ]) {
      const refused = await tus.create({ headers: { 'Upload-Length': length } })
      expect(refused, length).toMatchObject({ status: 400, json: { code: 'invalid-request', field: 'Upload-Length' } })
    }
    expect((await tus.create()).status).toBe(201)
  })

  it('of more bytes than the disk has is refused with 507', async () => {
    const refused = await (await newTus()).create({ length: 2 ** 53 - 1 })
    expect(refused).toMatchObject({ status: 507, json: { code: 'disk-full' } })
  })

  it('says either its length or that it comes later', async () => {
    const tus = await newTus()
    const metadata = { 'Upload-Metadata': metadataOf({ filename: 'a' }) }
    expect((await tus.send('POST', '/tus', metadata, '')).status).toBe(400)
    const both = { ...metadata, 'Upload-Length': '1', 'Upload-Defer-Length': '1' }
    expect((await tus.send('POST', '/tus', both, '')).status).toBe(400)
  })

  it('is refused with 400 for metadata that is malformed', async () => {
    const tus = await newTus()
    const name = metadataOf({ filename: 'a' })
    const wrong = [
      '',
      'filename',
      'filename !!!',
      'filename YQ',
      'filename YQ==,filename Yg==',
      `${name},`,
      `${name},,x eA==`,
      `${name},two words eA==`,
      'filename /w==',
      `${name},sha256 ${Buffer.from('abc').toString('base64')}`,
      `${name},filetype ${Buffer.from('a\r\nb: c').toString('base64')}`,
      `${name},filetype ${Buffer.from('é').toString('base64')}`,
    ]
    for (const metadata of wrong) {
      const refused = await tus.create({ headers: { 'Upload-Metadata': metadata } })
      expect(refused.status, metadata).toBe(400)
      expect(refused.json.code).toBe('invalid-request')
    }
    expect((await tus.create()).status).toBe(201)
  })

  it('is refused with 400 for a name that no upload may have', async () => {
    const tus = await newTus()
    const names = [
      '../x',
      'a/../b',
      '/a',
      'a/',
      'a//b',
      '.',
      'a\\b',
      'a\u0000b',
      'a\nb',
      'x'.repeat(241),
      'ops:x',
      'a\u0308',
    ]
    for (const name of names) {
      const refused = await tus.create({ name })
      expect(refused, name).toMatchObject({ status: 400, json: { field: 'name' } })
    }
  })

  it('is refused with 409 for a name that is a folder, or lies below a file', async () => {
    const tus = await newTus()
    await tus.caller.put('folder/file', 'x')
    for (const name of ['folder', 'folder/file/below']) {
      expect(await tus.create({ name })).toMatchObject({ status: 409, json: { code: 'name-conflict' } })
    }
    expect((await tus.create()).status).toBe(201)
  })

  it('that would put uploads together is refused', async () => {
    const refused = await (await newTus()).create({ headers: { 'Upload-Concat': 'partial' } })
    expect(refused).toMatchObject({ status: 400, json: { field: 'Upload-Concat' } })
  })

  it('that fails leaves nothing in partial/', async () => {
    const tus = await newTus()
    await tus.create({ length: 2 ** 50 })
    await tus.create({ name: '..' })
    const names = await readdir(join(shared.server.dataFolder, 'partial'))
    const { jobs } = (await tus.caller.call('/jobs')).json
    for (const job of jobs) expect(names.filter((name) => name.startsWith(job.id))).toEqual([])
  })
})

describe('a piece', () => {
  it('is refused with 400 for an offset that is no number of bytes', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    for (const offset of ['-1', '0.0', 'zero', '', ' ', '99999999999999999999']) {
      const refused = await tus.patch(path, offset, 'x')
      expect(refused, offset).toMatchObject({ status: 400, json: { field: 'Upload-Offset' } })
    }
    expect((await tus.send('PATCH', path, { 'Content-Type': octets }, 'x')).status).toBe(400)
    expect((await tus.patch(path, 2 ** 53 - 1, 'x')).status).toBe(409)
    expect(await tus.offset(path)).toBe(0)
  })

  it('after the end is refused with 409, which says that nothing is missing', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '0123456789')
    const more = await tus.patch(path, 10, 'x')
    expect(more).toMatchObject({ status: 409, json: { code: 'offset-mismatch', offset: 10 } })
    expect(more.json.message).toBe('The upload is whole with its 10 bytes: no more can come.')
    expect((await tus.patch(path, 9, 'x')).json.message).toMatch(/is at 10, not at 9/)
    expect((await tus.patch(path, 10, '')).status).toBe(204)
  })

  it('past the declared length is refused with 413, before its body is read', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const refused = await tus.patch(path, 0, '0123456789x')
    expect(refused).toMatchObject({ status: 413, json: { code: 'body-too-large', length: 10 } })
    expect(await tus.offset(path)).toBe(0)
  })

  it('past the declared length is refused with 413 in chunks too, and what came of it is discarded', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '012')
    const headers = {
      'Tus-Resumable': '1.0.0',
      'Content-Type': octets,
      'Upload-Offset': '3',
      'Transfer-Encoding': 'chunked',
    }
    const request = tus.caller.open(path, { method: 'PATCH', headers })
    request.end('3456789x')
    expect((await answerOf(request)).status).toBe(413)
    expect(await tus.offset(path)).toBe(3)
    expect(await tus.caller.names()).toEqual([])
    expect((await tus.patch(path, 3, '3456789')).status).toBe(204)
  })

  it('that declares a length below what has come, or no length at all, is refused with 400', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    await tus.patch(path, 0, '01234')
    for (const length of ['4', '-1', 'x']) {
      expect((await tus.patch(path, 5, '', { 'Upload-Length': length })).status).toBe(400)
    }
    expect((await tus.patch(path, 5, 'x', { 'Upload-Length': '5' })).status).toBe(413)
    expect((await tus.head(path)).headers).toMatchObject({ 'upload-offset': '5', 'upload-defer-length': '1' })
  })

  it('is refused with 400 for a Repr-Digest that is malformed, or another one than was declared', async () => {
    const tus = await newTus()
    const path = await tus.begin({ metadata: { sha256: 'a'.repeat(64) } })
    for (const digest of ['sha-256=:abc:', `sha-256=:${Buffer.alloc(32).toString('base64')}:`]) {
      expect((await tus.patch(path, 0, 'x', { 'Repr-Digest': digest })).status).toBe(400)
    }
    expect(await tus.offset(path)).toBe(0)
  })
})

describe("someone else's upload", () => {
  it('does not exist, whatever the method, for an admin neither', async () => {
    const [ann, bob] = [await newTus(), await newTus()]
    const path = await ann.begin()
    for (const other of [bob, new Tus(await shared.admin())]) {
      const answers = [await other.head(path), await other.patch(path, 0, '0123456789'), await other.remove(path)]
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
      for (const { headers } of answers) expect(headers).not.toHaveProperty('filejobs-job')
    }
    await ann.patch(path, 0, '0123456789')
    expect((await bob.head(path)).status).toBe(404)
    expect(await ann.caller.job(idOf(path))).toMatchObject({ state: 'done' })
  })

  it('does not exist when it runs by another door, or has no id', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'put')
    expect((await tus.head(`/tus/${held.id}`)).status).toBe(404)
    expect((await tus.remove(`/tus/${held.id}`)).status).toBe(404)
    held.finish()
    expect((await held.answer).status).toBe(201)
    expect((await tus.head('/tus/not-an-id')).status).toBe(404)
    expect((await tus.head('/tus/..%2f..%2faccounts')).status).toBe(400)
  })
})
