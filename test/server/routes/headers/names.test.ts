import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { nameFromTarget, parseName } from '../../../../dist/server/routes/headers/names.js'
import { answerOf, type Caller } from '../../../helpers/calls.js'
import { connectTo, head } from '../../../helpers/raw-connection.js'
import { shareServer } from '../../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0 })

/** Names that every door rejects. */
const refused: [why: string, name: string][] = [
  ['..', '..'],
  ['.. in front', '../x'],
  ['.. inside', 'x/../y'],
  ['.. at the end', 'x/..'],
  ['more ..', '../../etc/passwd'],
  ['.', '.'],
  ['. inside', 'x/./y'],
  ['a leading slash', '/x'],
  ['two leading slashes', '//x'],
  ['an absolute path', '/etc/passwd'],
  ['a trailing slash', 'x/'],
  ['two slashes', 'x//y'],
  ['nothing', ''],
  ['a slash alone', '/'],
  ['a backslash', 'x\\y'],
  ['backslashes and ..', '..\\..\\x'],
  ['NUL', 'x\0y'],
  ['NUL at the end', 'x\0'],
  ['a line feed', 'x\ny'],
  ['a carriage return', 'x\ry'],
  ['a tab', 'x\ty'],
  ['DEL', 'x\x7f'],
  ['a C1 control character', 'x\u0085'],
  ['a segment of 241 bytes', 'x'.repeat(241)],
  ['a segment of 241 bytes in UTF-8', `${'ä'.repeat(120)}x`],
  ['a long segment inside', `a/${'x'.repeat(241)}/b`],
  ['1,025 bytes', `${'x/'.repeat(512)}x`],
  ['a decomposed letter', 'a\u0308'],
  ['the prefix of published files', 'ops:anna/x'],
  ['that prefix in capitals', 'OPS:anna'],
]

const allowed = [
  'x',
  '...',
  '..x',
  'x..',
  '.hidden',
  'with space',
  'quote\'"',
  '%',
  '%2e%2e',
  '100%25',
  'a:b',
  'a;b=c',
  'a?b#c&d',
  '~',
  '*',
  'größe/日本/😀',
  'con',
  'x/ops:y',
  'x'.repeat(240),
  'ä'.repeat(120),
  `${'x/'.repeat(511)}xx`,
]

describe('a file name', () => {
  it.each(refused)('with an invalid part is rejected: %s', (_why, name) => {
    expect(() => parseName(name)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })

  it('that is not valid Unicode is rejected', () => {
    for (const name of ['\ud800', 'x\udfff', '\udc00\ud800']) expect(() => parseName(name)).toThrow(/Unicode/)
  })

  it.each(allowed)('is accepted as it is: %s', (name) => {
    expect(parseName(name)).toBe(name)
    expect(nameFromTarget(`/files/${name.split('/').map(encodeURIComponent).join('/')}?x=1`, '/files/')).toBe(name)
    expect(nameFromTarget(`/files/${encodeURIComponent(name)}`, '/files/')).toBe(name)
  })

  it.each(['%', '%2', '%zz', '%ff', '%c3%28', '%ed%a0%80', 'x%', '%c0%af', '%e0%80%af'])(
    'that is not percent-encoded UTF-8 is rejected: %s',
    (encoded) => {
      expect(() => nameFromTarget(`/files/${encoded}`, '/files/')).toThrow(/percent-encoded/)
    },
  )

  it('is decoded once', () => {
    expect(nameFromTarget('/files/%252e%252e', '/files/')).toBe('%2e%2e')
    expect(nameFromTarget('/files/a%252Fb', '/files/')).toBe('a%2Fb')
    expect(nameFromTarget('/files/a+b', '/files/')).toBe('a+b')
  })
})

describe('over HTTP, no file is published under an invalid name', () => {
  const methods = ['PUT', 'GET', 'HEAD', 'DELETE'] as const
  /** Without any name, it is the list, which has no DELETE, and takes PUT for tars only. */
  const ofList = { PUT: 400, GET: 200, HEAD: 200, DELETE: 405 }
  /** A slash at the end makes it a folder, which has no bytes, and which is not there. */
  const isFolder = (target: string) => /^[^/]+\/$/.test(target)
  const ofFolder = { PUT: 400, GET: 400, HEAD: 400, DELETE: 404 }
  let ann: Caller
  beforeAll(async () => {
    ann = await shared.newCaller()
    await ann.put('a', 'x')
  })
  afterEach(async () => {
    expect(await ann.names()).toEqual(['a'])
  })

  it.each(refused)('percent-encoded: %s', async (_why, name) => {
    const targets = [everyByte(name), encodeURIComponent(name), name.split('/').map(encodeURIComponent).join('/')]
    for (const target of new Set(targets)) {
      for (const method of methods) {
        const { status, json } = await ann.call(`/files/${target}`, {
          method,
          ...(method === 'PUT' ? { body: 'x' } : {}),
        })
        const expected = (target === '' ? ofList[method] : undefined) ?? (isFolder(target) ? ofFolder[method] : 400)
        expect({ target, method, status }).toEqual({ target, method, status: expected })
        if (expected === 400 && method !== 'HEAD') expect(json.code).toBe('invalid-request')
      }
      const moved = await ann.call(`/files/${target}/move`, { method: 'POST', body: { to: 'elsewhere' } })
      expect(moved.status).toBeGreaterThanOrEqual(400)
    }
  })

  it.each(refused.filter(([, name]) => /^[\x21-\x7e\x80-\u{10ffff}]+$/u.test(name) && !/[?#]/.test(name)))(
    'raw in the request: %s',
    async (_why, name) => {
      for (const target of [`/files/${name}`, `/upload/../files/${name}`, `//files/${name}`, `/./files/${name}`]) {
        const connection = await connectTo(ann.url)
        connection.send(head(`PUT ${target}`, ann.token, { 'Content-Length': 1 }))
        connection.send('x')
        await connection.says(/^HTTP\/1.1 40[045] /)
        connection.socket.destroy()
      }
    },
  )

  it.each(refused.filter(([, name]) => name !== ''))('in a form: %s', async (_why, name) => {
    // As browsers write it; a parser may take a raw line break for the end of the header, or drop invalid characters.
    const quoted = name.replaceAll('\\', '\\\\')
    const body = `--b\r\nContent-Disposition: form-data; name="f"; filename="${quoted}"\r\n\r\nx\r\n--b--\r\n`
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b' }
    const { status, json } = await ann.call('/upload', { method: 'POST', headers, body })
    expect({ status, code: json.code }).toEqual({ status: 400, code: 'invalid-request' })
  })

  it.each(refused)('in the body of a move or an export: %s', async (_why, name) => {
    const moved = await ann.call('/files/a/move', { method: 'POST', body: { to: name } })
    const refusal = isFolder(name)
      ? { status: 404, json: { code: 'file-not-found' } }
      : { status: 400, json: { code: 'invalid-request' } }
    expect(moved).toMatchObject(refusal)
    expect(await ann.post('/export', { filename: name })).toMatchObject({
      status: 400,
      json: { code: 'invalid-request' },
    })
  })
})

describe('over HTTP, an unusual but valid name', () => {
  it.each(allowed.filter((name) => !/["%]/.test(name)))('is preserved by every protocol: %s', async (name) => {
    const ann = await shared.newCaller()
    const path = `/files/${name.split('/').map(encodeURIComponent).join('/')}`
    expect((await ann.call(path, { method: 'PUT', body: 'by PUT' })).json.name).toBe(name)
    expect(await ann.names()).toEqual([name])
    const body = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\nby form\r\n--b--\r\n`
    const headers = { 'Content-Type': 'multipart/form-data; boundary=b' }
    expect((await ann.call('/upload', { method: 'POST', headers, body })).json.files[0].name).toBe(name)
    expect((await ann.post('/export', { filename: name })).body.toString()).toBe('by form')
    const { headers: answered } = await ann.call(path)
    const base = name.split('/').at(-1)!
    expect(decodeURIComponent(/filename\*=UTF-8''(\S+)$/.exec(answered['content-disposition']!)![1]!)).toBe(base)
    expect((await ann.call(`${path}/move`, { method: 'POST', body: { to: `moved/${name.slice(-200)}` } })).status).toBe(
      204,
    )
    expect(await ann.names()).toEqual([`moved/${name.slice(-200)}`])
  })

  it('must be percent-encoded if it is not ASCII', async () => {
    const ann = await shared.newCaller()
    for (const encoding of ['utf8', 'latin1'] as const) {
      const connection = await connectTo(ann.url)
      connection.send(Buffer.from(head('PUT /files/größe', ann.token, { 'Content-Length': 1 }), encoding))
      connection.send('x')
      await connection.says(/^HTTP\/1.1 400 /)
    }
    expect(await ann.names()).toEqual([])
  })

  it('can be requested in absolute form, as proxies do', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'content')
    const connection = await connectTo(ann.url)
    connection.send(head(`GET ${ann.url}/files/a`, ann.token))
    await connection.says(/^HTTP\/1.1 200 .*\r\n\r\ncontent$/s)
  })

  it('that conflicts with an existing folder, or with a file among its folders, is rejected before the body', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'x')
    await ann.put('b/c', 'x')
    for (const name of ['a/b', 'a/b/c', 'b']) {
      const request = ann.open(`/files/${name}`, { method: 'PUT', headers: { 'Content-Length': 10 ** 9 } })
      const answer = answerOf(request)
      request.flushHeaders()
      expect(await answer).toMatchObject({ status: 409, json: { code: 'name-conflict', name } })
      request.destroy()
    }
    expect(await ann.names()).toEqual(['a', 'b/c'])
  })
})

function everyByte(name: string): string {
  return [...Buffer.from(name)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}
