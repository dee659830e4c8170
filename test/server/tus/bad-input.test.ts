import { describe, expect, it } from 'vitest'
import { answerOf, holdUpload } from '../../helpers/calls.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { idOf, metadataOf, octets, Tus } from '../../helpers/tus.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())

describe('a tus creation', () => {
  it('is answered 400 for an invalid length, and claims nothing', async () => {
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

  onlyLocal('a bucket has no end', () => {
    it('larger than the free disk space is answered 507', async () => {
      const tus = await newTus()
      const refused = await tus.create({ length: 2 ** 53 - 1 })
      expect(refused).toMatchObject({ status: 507, json: { code: 'disk-full' } })
      await expectNoPartials(tus)
    })
  })

  it('requires either a length or a deferred length', async () => {
    const tus = await newTus()
    const metadata = { 'Upload-Metadata': metadataOf({ filename: 'a' }) }
    expect((await tus.send('POST', '/tus', metadata, '')).status).toBe(400)
    const both = { ...metadata, 'Upload-Length': '1', 'Upload-Defer-Length': '1' }
    expect((await tus.send('POST', '/tus', both, '')).status).toBe(400)
  })

  it('is answered 400 for malformed metadata', async () => {
    const tus = await newTus()
    const name = metadataOf({ filename: 'a' })
    const wrong = [
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

  it('is answered 400 for an invalid file name', async () => {
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

  it('is answered 409 for the name of a folder, or one below a file', async () => {
    const tus = await newTus()
    await tus.caller.put('folder/file', 'x')
    for (const name of ['folder', 'folder/file/below']) {
      expect(await tus.create({ name })).toMatchObject({ status: 409, json: { code: 'name-conflict' } })
    }
    expect((await tus.create()).status).toBe(201)
  })

  it('that would concatenate uploads is rejected', async () => {
    const refused = await (await newTus()).create({ headers: { 'Upload-Concat': 'partial' } })
    expect(refused).toMatchObject({ status: 400, json: { field: 'Upload-Concat' } })
  })

  it('that fails leaves nothing in partial/', async () => {
    const tus = await newTus()
    await tus.create({ name: '..' })
    await expectNoPartials(tus)
  })
})

async function expectNoPartials(tus: Tus): Promise<void> {
  const names = await partialNames(shared.server.dataFolder)
  const { jobs } = (await tus.caller.call('/jobs')).json
  for (const job of jobs) expect(names.filter((name) => name.startsWith(job.id))).toEqual([])
}

describe('a tus PATCH', () => {
  it('is answered 400 for an invalid offset', async () => {
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

  it('after the end is answered 409 with the message that the upload is complete', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '0123456789')
    const more = await tus.patch(path, 10, 'x')
    expect(more).toMatchObject({ status: 409, json: { code: 'offset-mismatch', offset: 10 } })
    expect(more.json.message).toBe('The upload is whole with its 10 bytes: no more can come.')
    expect((await tus.patch(path, 9, 'x')).json.message).toMatch(/is at 10, not at 9/)
    expect((await tus.patch(path, 10, '')).status).toBe(204)
  })

  it('beyond the declared length is answered 413 before its body is read', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const refused = await tus.patch(path, 0, '0123456789x')
    expect(refused).toMatchObject({ status: 413, json: { code: 'body-too-large', length: 10 } })
    expect(await tus.offset(path)).toBe(0)
  })

  it('beyond the declared length in chunks is answered 413, too, and its bytes are discarded', async () => {
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

  it('that declares a length below the received bytes, or no length at all, is answered 400', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: null })
    await tus.patch(path, 0, '01234')
    for (const length of ['4', '-1', 'x']) {
      expect((await tus.patch(path, 5, '', { 'Upload-Length': length })).status).toBe(400)
    }
    expect((await tus.patch(path, 5, 'x', { 'Upload-Length': '5' })).status).toBe(413)
    expect((await tus.head(path)).headers).toMatchObject({ 'upload-offset': '5', 'upload-defer-length': '1' })
  })

  it('is answered 400 for a Repr-Digest that is malformed, or differs from the declared one', async () => {
    const tus = await newTus()
    const path = await tus.begin({ metadata: { sha256: 'a'.repeat(64) } })
    for (const digest of ['sha-256=:abc:', `sha-256=:${Buffer.alloc(32).toString('base64')}:`]) {
      expect((await tus.patch(path, 0, 'x', { 'Repr-Digest': digest })).status).toBe(400)
    }
    expect(await tus.offset(path)).toBe(0)
  })
})

describe('a tus upload of another account', () => {
  it('is answered as missing for every method, also for an admin', async () => {
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

  it('is answered as missing if it uses another protocol or has no id', async () => {
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
