import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Answer, answerOf, type Caller, type CallOptions } from '../../../helpers/calls.js'
import { shareServer } from '../../../helpers/shared-server.js'
import { checksumOf, Tus } from '../../../helpers/tus.js'

const shared = shareServer()
const fields = ['Content-Digest', 'Repr-Digest'] as const
const algorithms = ['sha-256', 'sha-512'] as const
const both = fields.flatMap((field) => algorithms.map((algorithm) => [field, algorithm] as const))

function digestOf(algorithm: (typeof algorithms)[number], content: string): string {
  return `${algorithm}=:${createHash(algorithm.replace('-', '')).update(content).digest('base64')}:`
}

/** Sends a chunked body with trailers; `announce` false leaves out the header that names them. */
function withTrailers(
  caller: Caller,
  path: string,
  { headers, body, ...options }: CallOptions & { body: string },
  trailers: Record<string, string>,
  announce = true,
): Promise<Answer> {
  const named = announce ? { Trailer: Object.keys(trailers).join(', ') } : {}
  const request = caller.open(path, { ...options, headers: { ...headers, 'Transfer-Encoding': 'chunked', ...named } })
  request.write(body)
  if (announce) request.addTrailers(trailers)
  else
    Object.assign(request, {
      _trailer: Object.entries(trailers)
        .map((pair) => `${pair.join(': ')}\r\n`)
        .join(''),
    })
  request.end()
  return answerOf(request)
}

describe('the digest of a PUT', () => {
  it.each(both)('by %s and %s is verified', async (field, algorithm) => {
    const ann = await shared.newCaller()
    const refused = await ann.put('a', 'content', { [field]: digestOf(algorithm, 'other') })
    expect(refused).toMatchObject({ status: 422, json: { code: 'digest-mismatch' } })
    expect(await ann.names()).toEqual([])
    const stored = await ann.put('a', 'content', { [field]: digestOf(algorithm, 'content') })
    expect(stored).toMatchObject({ status: 201, headers: { 'repr-digest': digestOf('sha-256', 'content') } })
  })

  it.each(both)('by %s and %s is verified as a trailer, announced or not', async (field, algorithm) => {
    const ann = await shared.newCaller()
    for (const announce of [true, false]) {
      const put = (content: string) =>
        withTrailers(
          ann,
          '/files/a',
          { method: 'PUT', body: 'content' },
          { [field]: digestOf(algorithm, content) },
          announce,
        )
      expect(await put('other')).toMatchObject({ status: 422, json: { code: 'digest-mismatch' } })
      expect(await ann.names()).toEqual([])
      expect((await put('content')).status).toBe(201)
      await ann.call('/files/a', { method: 'DELETE' })
    }
  })

  it('is verified for every algorithm in the header', async () => {
    const ann = await shared.newCaller()
    for (const [a, b] of [
      ['content', 'other'],
      ['other', 'content'],
    ] as const) {
      const digests = `${digestOf('sha-256', a)}, ${digestOf('sha-512', b)}`
      expect((await ann.put('a', 'content', { 'Repr-Digest': digests })).status).toBe(422)
    }
    const fine = `${digestOf('sha-256', 'content')}, ${digestOf('sha-512', 'content')}`
    expect((await ann.put('a', 'content', { 'Repr-Digest': fine })).status).toBe(201)
    // The SHA-256 alone would do for a file that is there already, but says nothing of the other one.
    const wrong = `${digestOf('sha-256', 'content')}, ${digestOf('sha-512', 'other')}`
    expect((await ann.put('a', 'content', { 'Repr-Digest': wrong })).status).toBe(422)
  })

  it('of several megabytes is computed in parallel with the writes', async () => {
    const ann = await shared.newCaller()
    const content = 'x'.repeat(5_000_000)
    expect((await ann.put('a', content, { 'Repr-Digest': digestOf('sha-512', content) })).status).toBe(201)
    expect((await ann.put('a', content, { 'Repr-Digest': digestOf('sha-512', `${content}x`) })).status).toBe(422)
  })

  it('in the older header Digest is verified', async () => {
    const ann = await shared.newCaller()
    const old = (content: string) => `SHA-256=${createHash('sha256').update(content).digest('base64')}`
    expect((await ann.put('a', 'content', { Digest: old('other') })).status).toBe(422)
    expect((await ann.put('a', 'content', { Digest: old('content') })).status).toBe(201)
  })

  it.each([
    ['Repr-Digest', 'md5=:1B2M2Y8AsgTpgAmY7PhCfg==:'],
    ['Content-Digest', 'crc32c=:AAAAAA==:'],
    ['Content-Digest', 'sha-256'],
    ['Content-Digest', 'sha-256=abc'],
    ['Repr-Digest', 'sha-512=:abc=:'],
    ['Repr-Digest', digestOf('sha-256', 'a').replace('sha-256', 'sha-512')],
    ['Digest', 'MD5=1B2M2Y8AsgTpgAmY7PhCfg=='],
    ['Content-MD5', '1B2M2Y8AsgTpgAmY7PhCfg=='],
    ['Upload-Checksum', 'sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
  ])('that cannot be verified is rejected: %s: %s', async (field, value) => {
    const ann = await shared.newCaller()
    expect(await ann.put('a', 'content', { [field]: value })).toMatchObject({ status: 400, json: { field } })
    expect(await ann.names()).toEqual([])
  })

  it('beside one with an unknown algorithm is verified', async () => {
    const ann = await shared.newCaller()
    for (const unknown of ['md5', 'constructor']) {
      const digests = (content: string) => `${digestOf('sha-256', content)}, ${unknown}=:AAAA:`
      expect((await ann.put('a', 'content', { 'Content-Digest': digests('content') })).json.name).toBe('a')
      expect((await ann.put('a', 'content', { 'Content-Digest': digests('other') })).status).toBe(422)
    }
  })

  it('that contradicts another one, or was announced and is missing, is rejected', async () => {
    const ann = await shared.newCaller()
    const two = { 'Content-Digest': digestOf('sha-256', 'a'), 'Repr-Digest': digestOf('sha-256', 'b') }
    expect((await ann.put('a', 'a', two)).status).toBe(400)
    const request = ann.open('/files/a', {
      method: 'PUT',
      headers: { Trailer: 'Content-Digest', 'Transfer-Encoding': 'chunked' },
    })
    request.end('a')
    expect(await answerOf(request)).toMatchObject({ status: 400, json: { field: 'Content-Digest' } })
    const checksum = { 'Upload-Checksum': checksumOf('sha256', 'other') }
    const refused = await withTrailers(ann, '/files/a', { method: 'PUT', body: 'a' }, checksum)
    expect(refused).toMatchObject({ status: 400, json: { field: 'Upload-Checksum' } })
    expect(await ann.names()).toEqual([])
  })
})

describe('the digest of a form', () => {
  const type = { 'Content-Type': 'multipart/form-data; boundary=b' }
  const formOf = (header = '') =>
    `--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n${header}\r\ncontent\r\n--b--\r\n`

  it.each(both)('by %s and %s is verified, in a header or a trailer', async (field, algorithm) => {
    const ann = await shared.newCaller()
    const options = { method: 'POST', body: formOf(), headers: type }
    const post = (content: string) =>
      ann.call('/upload', { ...options, headers: { ...type, [field]: digestOf(algorithm, content) } })
    const late = (content: string, announce?: boolean) =>
      withTrailers(ann, '/upload', options, { [field]: digestOf(algorithm, content) }, announce)
    expect((await post('other')).status).toBe(422)
    expect((await late('other')).status).toBe(422)
    expect((await late(formOf(), false)).status).toBe(400)
    expect(await ann.names()).toEqual([])
    expect((await post(formOf())).status).toBe(201)
    expect((await late(formOf())).status).toBe(201)
  })

  it.each(both)(
    'by %s and %s is verified in the part headers of a field and of an empty file input',
    async (field, algorithm) => {
      const ann = await shared.newCaller()
      const partOf = (names: string, declared: string, content: string) =>
        `--b\r\nContent-Disposition: form-data; ${names}\r\n${field}: ${digestOf(algorithm, declared)}\r\n\r\n${content}\r\n`
      for (const declared of ['other', 'value']) {
        const body = partOf('name="title"', declared, 'value') + formOf()
        const { status } = await ann.call('/upload', { method: 'POST', headers: type, body })
        expect(status).toBe(declared === 'value' ? 201 : 422)
      }
      const body = partOf('name="f"; filename=""', 'other', '') + formOf()
      expect((await ann.call('/upload', { method: 'POST', headers: type, body })).status).toBe(422)
    },
  )

  it.each(both)('by %s and %s is verified in the headers of a part', async (field, algorithm) => {
    const ann = await shared.newCaller()
    const post = (content: string) =>
      ann.call('/upload', {
        method: 'POST',
        headers: type,
        body: formOf(`${field}: ${digestOf(algorithm, content)}\r\n`),
      })
    expect(await post('other')).toMatchObject({ status: 422, json: { code: 'digest-mismatch' } })
    expect(await ann.names()).toEqual([])
    expect((await post('content')).status).toBe(201)
  })
})

describe('the digest of a JSON body', () => {
  it.each(both)('by %s and %s is verified', async (field, algorithm) => {
    const ann = await shared.newCaller()
    await ann.put('a', 'x')
    const body = JSON.stringify({ to: 'b' })
    const move = (content: string) =>
      ann.call('/files/a/move', {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json', [field]: digestOf(algorithm, content) },
      })
    expect((await move('other')).status).toBe(422)
    expect(await ann.names()).toEqual(['a'])
    expect((await move(body)).status).toBe(204)
  })
})

describe('for tus,', () => {
  const octets = { 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream' }

  it('a checksum or Content-Digest in a trailer is verified: checksum-trailer', async () => {
    const tus = new Tus(await shared.newCaller())
    expect((await tus.send('OPTIONS', '/tus')).headers['tus-extension']).toContain('checksum-trailer')
    const trailers = [
      (content: string) => ({ 'Upload-Checksum': checksumOf('sha1', content) }),
      (content: string) => ({ 'Upload-Checksum': checksumOf('sha512', content) }),
      (content: string) => ({ 'Content-Digest': digestOf('sha-256', content) }),
    ]
    for (const trailerOf of trailers) {
      const path = await tus.begin({ length: 14 })
      const patch = (content: string, announce?: boolean) =>
        withTrailers(
          tus.caller,
          path,
          { method: 'PATCH', body: 'content', headers: { ...octets, 'Upload-Offset': '0' } },
          trailerOf(content),
          announce,
        )
      expect(await patch('other')).toMatchObject({ status: 460, json: { code: 'checksum-mismatch' } })
      expect(await tus.offset(path)).toBe(0)
      // Too late to be computed, and so refused.
      expect(await patch('content', false)).toMatchObject({ status: 400, json: { field: 'Trailer' } })
      expect(await tus.offset(path)).toBe(0)
      expect((await patch('content')).status).toBe(204)
      expect(await tus.offset(path)).toBe(7)
      await tus.remove(path)
    }
  })

  it.each(algorithms)('a Content-Digest by %s is verified against the bytes of its request', async (algorithm) => {
    const tus = new Tus(await shared.newCaller())
    const wrong = { 'Content-Digest': digestOf(algorithm, 'other') }
    expect((await tus.create({ body: '01234', headers: wrong })).status).toBe(460)
    const path = await tus.begin()
    expect((await tus.patch(path, 0, '01234', wrong)).status).toBe(460)
    expect((await tus.patch(path, 0, '01234', { 'Content-Digest': digestOf(algorithm, '01234') })).status).toBe(204)
    expect(await tus.offset(path)).toBe(5)
    await tus.remove(path)
  })

  it('a Repr-Digest by sha-512 is verified against the whole file, whichever request has it', async () => {
    const tus = new Tus(await shared.newCaller())
    const whole = '0123456789'
    for (const [content, status] of [
      ['other', 422],
      [whole, 204],
    ] as const) {
      const headers = { 'Repr-Digest': digestOf('sha-512', content) }
      const early = await tus.begin({ headers })
      expect((await tus.patch(early, 0, whole)).status).toBe(status)
      const late = await tus.begin()
      await tus.patch(late, 0, '01234')
      expect((await tus.patch(late, 5, '56789', headers)).status).toBe(status)
      const trailing = await tus.begin()
      const options = { method: 'PATCH', body: whole, headers: { ...octets, 'Upload-Offset': '0' } }
      expect((await withTrailers(tus.caller, trailing, options, headers)).status).toBe(status)
    }
  })
})
