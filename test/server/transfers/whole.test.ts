import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answerOf, type Caller, holdUpload } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'

const shared = shareServer({ jobsPerAccount: 4, shutdownGraceMs: 0 })

describe('an incomplete body publishes nothing', () => {
  it.each([
    ['shorter than its length, by a close', { 'Content-Length': 1000 }, 'x'.repeat(999), 'end'],
    ['shorter than its length, by a reset', { 'Content-Length': 1000 }, 'x'.repeat(999), 'reset'],
    ['in chunks without the last one, by a close', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n', 'end'],
    ['in chunks without the last one, by a reset', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n', 'reset'],
    ['in the middle of a chunk', { 'Transfer-Encoding': 'chunked' }, '5\r\nhel', 'end'],
    ['in the last chunk', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n', 'end'],
  ])('%s', async (_how, headers, body, end) => {
    const ann = await shared.newCaller()
    await ann.put('a', 'as before')
    const connection = await connectTo(ann.url)
    connection.send(head('PUT /files/a', ann.token, headers as Record<string, string>) + body)
    await ann.findJob('kind=upload', (job) => job.bytes > 0)
    if (end === 'end') connection.socket.end()
    else connection.reset()
    const { id } = await ann.findJob('kind=upload', (job) => job.state === 'failed')
    expect((await ann.job(id)).error).toMatchObject({ code: 'client-left' })
    expect((await ann.call('/files/a')).body.toString()).toBe('as before')
    expect(await partialsOf(id)).toEqual([])
  })
})

describe('a body that does not match its headers', () => {
  it.each([
    ['longer than its length', { 'Content-Length': 5 }, 'hello and more'],
    ['by a chunk longer than its length', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello!!\r\n0\r\n\r\n'],
    ['by a chunk without a length', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\nzz\r\n'],
  ])('is rejected, and nothing is published: %s', async (_how, headers, body) => {
    const ann = await shared.newCaller()
    const start = head('PUT /files/a', ann.token, headers as Record<string, string>)
    const atOnce = await connectTo(ann.url)
    atOnce.send(start + body)
    expect((await atOnce.ended()).text).toMatch(/^HTTP\/1.1 400 /)
    const later = await connectTo(ann.url)
    later.send(start + body.slice(0, 4))
    await ann.findJob('state=running', (job) => job.bytes > 0)
    later.send(body.slice(4))
    await later.says(/^HTTP\/1.1 400 .*"code":"invalid-request"/s)
    expect((await ann.findJob('state=failed')).error).toMatchObject({ code: 'invalid-request' })
    expect(await ann.names()).toEqual([])
    expect((await ann.put('a', 'next')).status).toBe(201)
  })

  it('is rejected as the next request if the first was published before', async () => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    connection.send(`${head('PUT /files/a', ann.token, { 'Content-Length': 5 })}hello`)
    await connection.says(/^HTTP\/1.1 201 /)
    connection.send('and more\r\n\r\n')
    expect((await connection.ended()).text).toMatch(/HTTP\/1.1 400 Bad Request\r\n/)
    expect((await ann.call('/files/a')).body.toString()).toBe('hello')
  })

  it('is rejected if it has two lengths, or a length and chunks', async () => {
    const ann = await shared.newCaller()
    for (const lengths of [
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
    ]) {
      const connection = await connectTo(ann.url)
      const start = head('PUT /files/a', ann.token).slice(0, -2)
      connection.send(`${start}${lengths}\r\n\r\nhello`)
      expect((await connection.ended()).text).toMatch(/^HTTP\/1.1 400 /)
    }
    for (const length of ['-1', '5x', '0x5', '1e3', '99999999999999999999999']) {
      const connection = await connectTo(ann.url)
      connection.send(`${head('PUT /files/a', ann.token, { 'Content-Length': length })}hello`)
      expect((await connection.ended()).text).toMatch(/^HTTP\/1.1 400 /)
    }
    expect(await ann.names()).toEqual([])
  })
})

describe('a digest of an upload', () => {
  it('that does not match is rejected, and the old version remains', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'old')
    const refused = await ann.put('a', 'new', { 'Repr-Digest': digestOf('other') })
    expect(refused).toMatchObject({ status: 422, json: { code: 'digest-mismatch', job: { state: 'failed' } } })
    expect(refused.json.computed).toBe(sha256('new'))
    expect((await ann.call('/files/a')).body.toString()).toBe('old')
    expect(await partialsOf(refused.json.job.id)).toEqual([])
  })

  it('that matches is accepted, also among others, and returned', async () => {
    const ann = await shared.newCaller()
    const stored = await ann.put('a', 'new', { 'Repr-Digest': `md5=:abc=:, ${digestOf('new')}, crc32c=:x:` })
    expect(stored).toMatchObject({ status: 201, headers: { 'repr-digest': digestOf('new') } })
    expect(stored.headers.etag).toBe(`"${sha256('new')}"`)
    expect(stored.json).toMatchObject({ name: 'a', size: 3, sha256: sha256('new') })
    const read = await ann.call('/files/a')
    expect(read.headers).toMatchObject({ 'repr-digest': digestOf('new'), etag: stored.headers.etag })
    expect((await ann.call('/files/a', { headers: { Range: 'bytes=1-1' } })).headers['repr-digest']).toBe(
      digestOf('new'),
    )
  })

  it.each(['sha-256=:abc:', 'sha-256=:!!!:', `sha-256=:${Buffer.alloc(31).toString('base64')}:`])(
    'that is invalid is rejected before the body: %s',
    async (digest) => {
      const ann = await shared.newCaller()
      const connection = await connectTo(ann.url)
      connection.send(head('PUT /files/a', ann.token, { 'Content-Length': 5, 'Repr-Digest': digest }))
      await connection.says(/^HTTP\/1.1 400 .*invalid-request/s)
      expect(await ann.names()).toEqual([])
    },
  )

  it('of the existing file makes a second upload needless: 200, with its body unread', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'content', { 'Repr-Digest': digestOf('content') })
    const extra: Record<string, string>[] = [{}, { 'If-None-Match': '*' }, { Expect: '100-continue' }]
    for (const headers of extra) {
      const connection = await connectTo(ann.url)
      const declared = { 'Content-Length': 7, 'Repr-Digest': digestOf('content'), ...headers }
      connection.send(head('PUT /files/a', ann.token, declared))
      await connection.says(/^HTTP\/1.1 200 .*"name":"a"/s)
      expect(connection.text).not.toContain('100 Continue')
      connection.socket.destroy()
    }
    expect((await ann.call('/jobs?kind=upload')).json.jobs.length).toBe(1)
    // Another length or digest is another file.
    expect((await ann.put('a', 'content!', { 'If-None-Match': '*', 'Repr-Digest': digestOf('content!') })).status).toBe(
      412,
    )
    expect((await ann.put('a', 'Content', { 'Repr-Digest': digestOf('Content') })).status).toBe(200)
    expect((await ann.call('/files/a')).body.toString()).toBe('Content')
  })
})

describe('preconditions of an upload', () => {
  it('are checked before the body, and again before the publish', async () => {
    const ann = await shared.newCaller()
    const first = await ann.put('a', 'first')
    const tag = first.headers.etag as string
    expect(await ann.put('a', 'x', { 'If-None-Match': '*' })).toMatchObject({ status: 412 })
    expect(await ann.put('a', 'x', { 'If-Match': '"other"' })).toMatchObject({ status: 412 })
    expect(await ann.put('b', 'x', { 'If-Match': '*' })).toMatchObject({ status: 412 })
    expect(await ann.put('a', 'x', { 'If-Match': `W/${tag}` })).toMatchObject({ status: 412 })
    expect(await ann.put('a', 'second', { 'If-Match': `"other", ${tag}` })).toMatchObject({ status: 200 })

    const late = await holdUpload(ann, 'c', { headers: { 'If-None-Match': '*' } })
    await ann.put('c', 'first')
    late.finish()
    expect(await late.answer).toMatchObject({ status: 412, json: { code: 'precondition-failed' } })
    expect((await ann.call('/files/c')).body.toString()).toBe('first')

    const now = (await ann.call('/files/a', { method: 'HEAD' })).headers.etag as string
    const stale = await holdUpload(ann, 'a', { headers: { 'If-Match': now } })
    await ann.put('a', 'third')
    stale.finish()
    expect((await stale.answer).status).toBe(412)
    expect((await ann.call('/files/a')).body.toString()).toBe('third')
  })

  it('do not include ranges: a PUT of a range is rejected', async () => {
    const ann = await shared.newCaller()
    expect(await ann.put('a', 'x', { 'Content-Range': 'bytes 0-0/5' })).toMatchObject({ status: 400 })
    expect(await ann.names()).toEqual([])
  })

  it('include access: if it is lost during the upload, the publish is rejected', async () => {
    const [ann, admin] = [await shared.newCaller(), await shared.admin()]
    const { username } = (await ann.call('/auth/me')).json
    const held = await holdUpload(ann, 'a')
    const disabled = await admin.call(`/accounts/user:${username}`, { method: 'PATCH', body: { disabled: true } })
    expect(disabled.status).toBe(200)
    expect(await held.answer).toMatchObject({ status: 409, json: { code: 'job-stopped', stoppedBy: 'admin:admin' } })
    expect(await admin.job(held.id)).toMatchObject({ state: 'stopped' })
  })
})

describe('clients reading a name that is constantly overwritten', () => {
  it('see one complete version each, with its digest, its tag and its length', async () => {
    const ann = await shared.newCaller()
    const bob = new (Object.getPrototypeOf(ann).constructor)(shared.server, ann.token) as Caller
    const version = (letter: string) => Buffer.alloc(200_000 + letter.charCodeAt(0) * 1000, letter)
    await ann.put('a', version('a'))
    let over = false
    const writers = ['b', 'c', 'd'].map(async (letter) => {
      for (let round = 0; round < 25; round++) expect((await ann.put('a', version(letter))).status).toBe(200)
    })
    let seen = 0
    const readers = [0, 1, 2].map(async (which) => {
      while (!over) {
        const { body, headers, status } = await bob.call('/files/a')
        const letter = String.fromCharCode(body[0] ?? 0)
        expect({ which, status, whole: body.equals(version(letter)) }).toEqual({ which, status: 200, whole: true })
        expect(headers).toMatchObject({ 'repr-digest': digestOf(body), etag: `"${sha256(body)}"` })
        seen++
      }
    })
    const lister = async () => {
      while (!over) {
        const [file] = (await bob.call('/files')).json.files
        expect(file).toMatchObject({ name: 'a', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
      }
    }
    const listing = lister()
    await Promise.all(writers).finally(() => {
      over = true
    })
    await Promise.all([...readers, listing])
    expect(seen).toBeGreaterThan(10)
    await eventually('no partial is left', async () => (await partialNames(shared.server.dataFolder)).length === 0)
  })
})

describe('an upload by PUT', () => {
  it('of no bytes creates an empty file', async () => {
    const ann = await shared.newCaller()
    const stored = await ann.put('empty', '')
    expect(stored).toMatchObject({ status: 201, json: { size: 0, sha256: sha256('') } })
    const read = await ann.call('/files/empty')
    expect(read).toMatchObject({ status: 200, headers: { 'content-length': '0' } })
    const bare = await connectTo(ann.url)
    bare.send(head('PUT /files/bare', ann.token))
    await bare.says(/^HTTP\/1.1 201 /)
  })

  onlyLocal('objects have no modes', () => {
    it('is readable by its owner only, whatever the umask', async () => {
      const ann = await shared.newCaller()
      const { username } = (await ann.call('/auth/me')).json
      await ann.put('folder/a', 'x')
      const folder = join(shared.server.dataFolder, 'uploads', 'user', username)
      const modes = await Promise.all(
        [folder, join(folder, 'folder'), join(folder, 'folder/a')].map((path) => stat(path)),
      )
      expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '700', '600'])
    })
  })

  it('in many small chunks is complete', async () => {
    const ann = await shared.newCaller()
    const request = ann.open('/files/a', { method: 'PUT' })
    const answer = answerOf(request)
    const hash = createHash('sha256')
    for (let index = 0; index < 5000; index++) {
      const chunk = Buffer.from(`chunk ${index} `)
      hash.update(chunk)
      request.write(chunk)
    }
    request.end()
    expect((await answer).json).toMatchObject({ sha256: hash.digest('hex') })
  })
})

async function partialsOf(id: string): Promise<string[]> {
  return (await partialNames(shared.server.dataFolder)).filter((name) => name.startsWith(id))
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function digestOf(content: string | Buffer): string {
  return `sha-256=:${createHash('sha256').update(content).digest('base64')}:`
}
