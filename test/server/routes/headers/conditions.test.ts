import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseRange } from '../../../../dist/server/routes/headers/ranges.js'
import type { Caller } from '../../../helpers/calls.js'
import { onlyLocal } from '../../../helpers/only-local.js'
import { shareServer } from '../../../helpers/shared-server.js'

const shared = shareServer()
const content = '0123456789'
const digest = `sha-256=:${createHash('sha256').update(content).digest('base64')}:`
let ann: Caller
let tag: string

beforeAll(async () => {
  ann = await shared.newCaller()
  await ann.put('empty', '')
  const stored = await ann.put('ten.txt', content)
  tag = stored.headers.etag as string
})

describe('a range request', () => {
  it.each([
    ['bytes=0-3', '0123', '0-3'],
    ['bytes=3-3', '3', '3-3'],
    ['bytes=4-', '456789', '4-9'],
    ['bytes=0-', content, '0-9'],
    ['bytes=-3', '789', '7-9'],
    ['bytes=-10', content, '0-9'],
    ['bytes=-99', content, '0-9'],
    ['bytes=8-99', '89', '8-9'],
    ['bytes=9-9', '9', '9-9'],
    ['bytes= 1-2 ', '12', '1-2'],
    ['Bytes=1-2', '12', '1-2'],
  ])('"%s" is answered with that range', async (range, part, contentRange) => {
    const answer = await ann.call('/files/ten.txt', { headers: { Range: range } })
    expect({ status: answer.status, body: answer.body.toString() }).toEqual({ status: 206, body: part })
    expect(answer.headers).toMatchObject({
      'content-range': `bytes ${contentRange}/10`,
      'content-length': String(part.length),
      'accept-ranges': 'bytes',
      'repr-digest': digest,
      etag: tag,
    })
  })

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=99-', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '"%s" outside the file is answered 416 with the length',
    async (range) => {
      const refused = await ann.call('/files/ten.txt', { headers: { Range: range } })
      expect(refused).toMatchObject({ status: 416, json: { code: 'range-not-satisfiable', size: 10 } })
      expect(refused.headers['content-range']).toBe('bytes */10')
    },
  )

  it.each([
    'bytes=5-2',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'lines=1-2',
    'bytes=0-1,3-4',
    'bytes=0-1, 0-1',
    '0-1',
    'bytes=+1-2',
    'bytes=1-2x',
    'bytes==1-2',
    '',
  ])('"%s" is ignored: the whole file is sent', async (range) => {
    const { status, body, headers } = await ann.call('/files/ten.txt', { headers: { Range: range } })
    expect({ status, body: body.toString() }).toEqual({ status: 200, body: content })
    expect(headers['content-range']).toBeUndefined()
  })

  it('of an empty file is answered with the whole file', async () => {
    // Go and Apache do so as well, for clients that always send a range.
    for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=5-', 'bytes=-0', 'bytes=0-1,2-3']) {
      const { status, headers, body } = await ann.call('/files/empty', { headers: { Range: range } })
      expect({ range, status, bytes: body.length }).toEqual({ range, status: 200, bytes: 0 })
      expect(headers['content-range']).toBeUndefined()
    }
    expect(await ann.call('/files/empty')).toMatchObject({ status: 200, headers: { 'content-length': '0' } })
  })

  it('with If-Range applies only if the strong entity tag matches', async () => {
    const read = async (ifRange: string) =>
      (await ann.call('/files/ten.txt', { headers: { Range: 'bytes=1-2', 'If-Range': ifRange } })).status
    expect(await read(tag)).toBe(206)
    for (const other of ['"other"', `W/${tag}`, new Date().toUTCString(), tag.replaceAll('"', ''), '*']) {
      expect({ other, status: await read(other) }).toEqual({ other, status: 200 })
    }
    // A range that lies outside is no fault where it does not count.
    const outside = { Range: 'bytes=99-', 'If-Range': '"other"' }
    expect((await ann.call('/files/ten.txt', { headers: outside })).status).toBe(200)
  })

  it('can be made by POST /export, too', async () => {
    const options = { method: 'POST', body: { filename: 'ten.txt' }, headers: { Range: 'bytes=2-4' } }
    const { status, body } = await ann.call('/export', {
      ...options,
      headers: { ...options.headers, 'Content-Type': 'application/json' },
    })
    expect({ status, body: body.toString() }).toEqual({ status: 206, body: '234' })
  })

  it('never reads outside the file, whatever its values', () => {
    const numbers = ['', '0', '1', '9', '10', '11', '999999999999999999999']
    for (const size of [0, 1, 10]) {
      for (const first of numbers) {
        for (const last of numbers) {
          const range = rangeOf(`bytes=${first}-${last}`, size)
          if (!range) continue
          expect(range.start).toBeGreaterThanOrEqual(0)
          expect(range.start).toBeLessThan(range.end)
          expect(range.end).toBeLessThanOrEqual(size)
        }
      }
    }
  })
})

describe('a precondition', () => {
  it('If-None-Match is answered 304 without content for any matching tag, weak ones too, and for *', async () => {
    for (const condition of [tag, `"a", ${tag}`, `W/${tag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers, body } = await ann.call('/files/ten.txt', {
          method,
          headers: { 'If-None-Match': condition },
        })
        expect({ condition, method, status, bytes: body.length }).toEqual({ condition, method, status: 304, bytes: 0 })
        expect(headers.etag).toBe(tag)
      }
    }
    for (const condition of ['"other"', 'W/"other"', tag.slice(1, -1), '""']) {
      expect((await ann.call('/files/ten.txt', { headers: { 'If-None-Match': condition } })).status).toBe(200)
    }
  })

  it('If-Match is answered 412 unless a tag matches strongly', async () => {
    for (const condition of [tag, `"a", ${tag}, "b"`, '*']) {
      expect((await ann.call('/files/ten.txt', { headers: { 'If-Match': condition } })).status).toBe(200)
    }
    for (const condition of ['"other"', `W/${tag}`, `w/${tag}`, `x${tag}`, `"a" ${tag}`, `*, ${tag}`, 'junk', '']) {
      const refused = await ann.call('/files/ten.txt', { headers: { 'If-Match': condition } })
      expect(refused).toMatchObject({ status: 412, json: { code: 'precondition-failed' } })
    }
    // RFC 9110 section 13.2.2: If-Match comes before If-None-Match, and both before the range.
    const both = { 'If-Match': '"other"', 'If-None-Match': tag, Range: 'bytes=99-' }
    expect((await ann.call('/files/ten.txt', { headers: both })).status).toBe(412)
    expect((await ann.call('/files/ten.txt', { headers: { 'If-None-Match': tag, Range: 'bytes=99-' } })).status).toBe(
      304,
    )
  })

  it('applies to a removal', async () => {
    await ann.put('gone', 'x')
    const refused = await ann.call('/files/gone', { method: 'DELETE', headers: { 'If-Match': '"other"' } })
    expect(refused).toMatchObject({ status: 412 })
    expect((await ann.call('/files/gone', { method: 'DELETE', headers: { 'If-Match': '*' } })).status).toBe(204)
    expect((await ann.call('/files/gone', { method: 'DELETE' })).status).toBe(404)
  })

  it('that fails creates no job', async () => {
    const bob = await shared.newCaller()
    await bob.put('a', content)
    await bob.call('/files/a', { headers: { 'If-None-Match': '*' } })
    await bob.call('/files/a', { headers: { 'If-Match': '"x"' } })
    await bob.call('/files/a', { headers: { Range: 'bytes=99-' } })
    await bob.call('/files/a', { method: 'HEAD' })
    await bob.call('/files/b')
    expect((await bob.call('/jobs?kind=export')).json.jobs).toEqual([])
  })
})

describe('the headers of a file response', () => {
  it('are the same for HEAD, without the content', async () => {
    const [get, headed] = [await ann.call('/files/ten.txt'), await ann.call('/files/ten.txt', { method: 'HEAD' })]
    expect(headed).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    for (const name of [
      'content-length',
      'content-type',
      'etag',
      'repr-digest',
      'accept-ranges',
      'last-modified',
      'content-disposition',
    ]) {
      expect(headed.headers[name]).toBe(get.headers[name])
    }
    const missing = await ann.call('/files/missing', { method: 'HEAD' })
    expect(missing).toMatchObject({ status: 404, body: Buffer.alloc(0) })
  })

  it('prevent a browser from running or sniffing uploaded content', async () => {
    await ann.put('page.html', '<script>alert(1)</script>', { 'Content-Type': 'text/html' })
    expect((await ann.call('/files/page.html')).headers).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': expect.stringMatching(/^attachment;/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    })
  })

  it.each([
    ['plain.txt', 'attachment; filename="plain.txt"; filename*=UTF-8\'\'plain.txt'],
    [
      'dir/größe "x" 日本.txt',
      'attachment; filename="gr__e _x_ __.txt"; filename*=UTF-8\'\'gr%C3%B6%C3%9Fe%20%22x%22%20%E6%97%A5%E6%9C%AC.txt',
    ],
    ["a'(b)*%41;.txt", "attachment; filename=\"a'(b)*_41;.txt\"; filename*=UTF-8''a%27%28b%29%2A%2541%3B.txt"],
  ])('contain the name for old and new clients: %s', async (name, disposition) => {
    const path = `/files/${name.split('/').map(encodeURIComponent).join('/')}`
    await ann.call(path, { method: 'PUT', body: 'x' })
    expect((await ann.call(path)).headers['content-disposition']).toBe(disposition)
  })

  it('have the uploaded type, or else the one of the file extension', async () => {
    const typeOf = async (name: string, headers: Record<string, string>) => {
      await ann.put(name, 'x', headers)
      return (await ann.call(`/files/${name}`)).headers['content-type']
    }
    expect(await typeOf('t1.csv', {})).toBe('text/csv')
    expect(await typeOf('t2.csv', { 'Content-Type': 'text/tab-separated-values; charset=utf-8' })).toBe(
      'text/tab-separated-values; charset=utf-8',
    )
    expect(await typeOf('t3.unknown-type', {})).toBe('application/octet-stream')
    expect(await typeOf('t4.csv', { 'Content-Type': '' })).toBe('text/csv')
  })

  it('keep the digest with a type that contains a tab', async () => {
    const type = 'text/plain;\tcharset=utf-8'
    await ann.put('typed', content, { 'Content-Type': type })
    expect((await ann.call('/files/typed')).headers).toMatchObject({ 'content-type': type, 'repr-digest': digest })
  })

  onlyLocal('a bucket has no files that are put there by hand', () => {
    it('of a file put into the folder by hand have an entity tag and no digest', async () => {
      const { username } = (await ann.call('/auth/me')).json
      const folder = join(shared.server.dataFolder, 'uploads/user', username)
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'by-hand.txt'), content)
      const { headers, body } = await ann.call('/files/by-hand.txt')
      expect(body.toString()).toBe(content)
      expect(headers['repr-digest']).toBeUndefined()
      expect(headers.etag).toMatch(/^"[0-9a-f]+-a-[0-9a-f]+"$/)
      const again = await ann.call('/files/by-hand.txt', { headers: { 'If-None-Match': headers.etag as string } })
      expect(again.status).toBe(304)
      const [listed] = (await ann.call('/files?prefix=by-hand')).json.files
      expect(listed).toMatchObject({ name: 'by-hand.txt', size: 10, sha256: null })
    })
  })
})

describe('the list of files', () => {
  it('is sorted by name, paged, and filtered by prefix', async () => {
    const bob = await shared.newCaller()
    const names = ['a', 'b/1', 'b/2', 'b/3', 'b0', 'ä', '日本']
    for (const name of names)
      await bob.call(`/files/${name.split('/').map(encodeURIComponent).join('/')}`, { method: 'PUT', body: 'x' })
    const seen: string[] = []
    let cursor = ''
    do {
      const { json } = await bob.call(`/files?limit=2${cursor && `&cursor=${cursor}`}`)
      expect(json.files.length).toBeLessThanOrEqual(2)
      seen.push(...json.files.map((file: { name: string }) => file.name))
      cursor = json.next
    } while (cursor)
    expect(seen).toEqual(names)
    const { json } = await bob.call('/files?prefix=b%2F&limit=2')
    expect(json.files.map((file: { name: string }) => file.name)).toEqual(['b/1', 'b/2'])
    const rest = (await bob.call(`/files?prefix=b%2F&limit=2&cursor=${json.next}`)).json
    expect(rest).toMatchObject({ files: [{ name: 'b/3' }], next: null })
    expect((await bob.call('/files?prefix=nothing')).json).toEqual({ files: [], next: null })
    expect((await bob.call('/files/')).json.files.length).toBe(7)
  })

  it.each(['limit=0', 'limit=-1', 'limit=x', 'limit=1.5'])('rejects %s', async (query) => {
    expect(await ann.call(`/files?${query}`)).toMatchObject({
      status: 400,
      json: { code: 'invalid-request', field: 'limit' },
    })
  })

  it('excludes files of other accounts, which cannot be read, replaced, moved or removed', async () => {
    const bob = await shared.newCaller()
    expect((await bob.call('/files')).json.files).toEqual([])
    expect((await bob.call('/files/ten.txt')).status).toBe(404)
    expect((await bob.call('/files/ten.txt', { method: 'DELETE' })).status).toBe(404)
    expect((await bob.call('/files/ten.txt/move', { method: 'POST', body: { to: 'x' } })).status).toBe(404)
    expect((await bob.put('ten.txt', 'mine')).status).toBe(201)
    expect((await ann.call('/files/ten.txt')).body.toString()).toBe(content)
  })
})

function rangeOf(header: string, size: number) {
  try {
    return parseRange(header, size)
  } catch {
    return undefined
  }
}
