import { describe, expect, it } from 'vitest'
import { ifRangeHolds } from '../../../../dist/server/routes/headers/conditions.js'
import { parseHttpDate } from '../../../../dist/server/routes/headers/http-date.js'
import { evaluateConditions } from '../../../../dist/server/stores/precondition.js'
import type { Caller } from '../../../helpers/calls.js'
import { connectTo, head } from '../../../helpers/raw-connection.js'
import { shareServer } from '../../../helpers/shared-server.js'
import { setPublishTime } from '../../../helpers/stored-state.js'
import { makeTable } from '../../../helpers/tables.js'
import { Tus } from '../../../helpers/tus.js'

const shared = shareServer()
const changed = new Date('2014-10-08T11:12:13.456Z')
const same = 'Wed, 08 Oct 2014 11:12:13 GMT'
const before = 'Wed, 08 Oct 2014 11:12:12 GMT'
const after = 'Wed, 08 Oct 2014 11:12:14 GMT'

/** An account with a file that was changed at `changed`. */
async function withOldFile(role?: string, content = '0123456789'): Promise<Caller> {
  const caller = await shared.newCaller(role)
  await caller.put('old', content)
  const { username } = (await caller.call('/auth/me')).json
  await setPublishTime(shared.server.dataFolder, `${role ?? 'user'}/${username}`, 'old', changed)
  return caller
}

describe('an HTTP date', () => {
  const now = Date.parse('2026-11-28')

  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37Z'],
    ['Sun Nov 16 08:49:37 1994', '1994-11-16T08:49:37Z'],
    ['Saturday, 06-Nov-76 08:49:37 GMT', '2076-11-06T08:49:37Z'],
    ['Sunday, 06-Nov-77 08:49:37 GMT', '1977-11-06T08:49:37Z'],
    ['Thu, 29 Feb 2024 23:59:60 GMT', '2024-03-01T00:00:00Z'],
    ['Mon, 01 Jan 0001 00:00:00 GMT', '0001-01-01T00:00:00Z'],
  ])('"%s" is parsed', (text, time) => {
    expect(parseHttpDate(text, now)).toBe(Date.parse(time))
  })

  it.each([
    '',
    '0',
    '2014-10-08T11:12:13Z',
    'Wed, 08 Oct 2014 11:12:13',
    'Wed, 08 Oct 2014 11:12:13 UTC',
    'Wed, 8 Oct 2014 11:12:13 GMT',
    'Wed, 31 Feb 2014 11:12:13 GMT',
    'Wed, 08 oct 2014 11:12:13 GMT',
    'Wed, 08 Oct 2014 24:00:00 GMT',
    'Wed, 08 Oct 2014 11:60:13 GMT',
    'Wed, 08 Oct 2014 11:12:61 GMT',
    'Wed, 00 Oct 2014 11:12:13 GMT',
    'Wed, 08 Oct 2014 11:12:13 GMT, Wed, 08 Oct 2014 11:12:13 GMT',
  ])('"%s" is invalid', (text) => {
    expect(parseHttpDate(text, now)).toBeUndefined()
  })
})

describe('If-Modified-Since', () => {
  it.each([
    [same, 304],
    [after, 304],
    ['Wednesday, 08-Oct-14 11:12:13 GMT', 304],
    ['Wed Oct  8 11:12:13 2014', 304],
    [before, 200],
    ['yesterday', 200],
  ])('%s is answered %i by GET and HEAD', async (date, status) => {
    const ann = await withOldFile()
    for (const method of ['GET', 'HEAD']) {
      const answer = await ann.call('/files/old', { method, headers: { 'If-Modified-Since': date } })
      expect({ method, status: answer.status }).toEqual({ method, status })
      expect(answer.headers['last-modified']).toBe(same)
      if (status === 304) expect(answer.body.length).toBe(0)
    }
  })

  it('is ignored beside If-None-Match, for POST, and when repeated', async () => {
    const ann = await withOldFile()
    const headers = { 'If-Modified-Since': same }
    expect((await ann.call('/files/old', { headers: { ...headers, 'If-None-Match': '"other"' } })).status).toBe(200)
    const exported = await ann.call('/export', { method: 'POST', body: { filename: 'old' }, headers })
    expect(exported.status).toBe(200)
    const connection = await connectTo(ann.url)
    connection.send(head('GET /files/old', ann.token, { 'If-Modified-Since': `${same}\r\nIf-Modified-Since: ${same}` }))
    await connection.says(/^HTTP\/1.1 200 /)
  })
})

describe('If-Unmodified-Since', () => {
  it('answers 412 to a PUT, DELETE, move or tus creation on a newer version', async () => {
    const ann = await withOldFile()
    const tus = new Tus(ann)
    const attempts = (date: string) => {
      const headers = { 'If-Unmodified-Since': date }
      return {
        put: () => ann.put('old', 'new', headers),
        move: () => ann.call('/files/old/move', { method: 'POST', body: { to: 'moved' }, headers }),
        remove: () => ann.call('/files/old', { method: 'DELETE', headers }),
        create: () => tus.create({ name: 'old', headers }),
        form: () => ann.call('/upload', { method: 'POST', body: form, headers: { ...formType, ...headers } }),
      }
    }
    for (const attempt of Object.values(attempts(before))) {
      expect(await attempt()).toMatchObject({ status: 412, json: { code: 'precondition-failed' } })
    }
    expect((await ann.call('/files/old')).body.toString()).toBe('0123456789')
    expect(await ann.names()).toEqual(['old'])
    expect((await attempts(same).move()).status).toBe(204)
    expect(
      (await ann.call('/files/moved', { method: 'DELETE', headers: { 'If-Unmodified-Since': same } })).status,
    ).toBe(204)
    // RFC 9110 section 13.1.4: ignored where there is no version, and where it is no date.
    expect((await attempts(before).put()).status).toBe(201)
    expect((await attempts('yesterday').put()).status).toBe(200)
  })

  it('is checked again after the body has arrived', async () => {
    const ann = await withOldFile()
    const late = ann.open('/files/old', {
      method: 'PUT',
      headers: { 'Content-Length': 2, 'If-Unmodified-Since': same },
    })
    const answer = new Promise((resolve) => late.on('response', ({ statusCode }) => resolve(statusCode)))
    late.write('a')
    const job = await ann.findJob('state=running', ({ bytes }) => bytes === 1)
    const { username } = (await ann.call('/auth/me')).json
    await setPublishTime(shared.server.dataFolder, `user/${username}`, 'old', new Date())
    late.end('b')
    expect(await answer).toBe(412)
    expect(await ann.job(job.id)).toMatchObject({ state: 'failed' })
    expect((await ann.call('/files/old')).body.toString()).toBe('0123456789')
  })

  it('answers 412 to a GET of a newer version, and is ignored beside If-Match', async () => {
    const ann = await withOldFile()
    const read = async (headers: Record<string, string>) => (await ann.call('/files/old', { headers })).status
    expect(await read({ 'If-Unmodified-Since': before })).toBe(412)
    expect(await read({ 'If-Unmodified-Since': same })).toBe(200)
    expect(await read({ 'If-Unmodified-Since': before, 'If-Match': '*' })).toBe(200)
  })
})

describe('If-None-Match with entity tags', () => {
  it('prevents a PUT from replacing that version, and a POST from reading it', async () => {
    const ann = await shared.newCaller()
    const { headers } = await ann.put('a', 'first')
    const tag = headers.etag as string
    expect((await ann.put('a', 'second', { 'If-None-Match': `"other", W/${tag}` })).status).toBe(412)
    expect((await ann.put('a', 'second', { 'If-None-Match': '"other"' })).status).toBe(200)
    expect((await ann.put('a', 'third', { 'If-None-Match': 'junk' })).status).toBe(400)
    const now = (await ann.call('/files/a', { method: 'HEAD' })).headers.etag as string
    const exported = { method: 'POST', body: { filename: 'a' }, headers: { 'If-None-Match': now } }
    // RFC 9110 section 13.1.2: 304 is for GET and HEAD alone.
    expect((await ann.call('/export', exported)).status).toBe(412)
  })
})

describe('If-Range with a date', () => {
  it.each([
    [same, 206],
    ['Wed Oct  8 11:12:13 2014', 206],
    [before, 200],
    [after, 200],
    ['yesterday', 200],
  ])('%s is answered %i', async (date, status) => {
    const ann = await withOldFile()
    const answer = await ann.call('/files/old', { headers: { Range: 'bytes=8-', 'If-Range': date } })
    expect(answer.status).toBe(status)
    expect(answer.body.toString()).toBe(status === 206 ? '89' : '0123456789')
  })

  it('does not match a version younger than a second, or one that replaced another in the same second', () => {
    const version = { entityTag: '"a"', lastModified: changed.getTime() }
    expect(ifRangeHolds({ 'if-range': same }, version, changed.getTime() + 999)).toBe(false)
    expect(ifRangeHolds({ 'if-range': same }, version, changed.getTime() + 1000)).toBe(true)
    expect(ifRangeHolds({ 'if-range': same }, { ...version, isDateStrong: false }, changed.getTime() + 5000)).toBe(
      false,
    )
  })
})

describe('preconditions', () => {
  it('apply in the same way to a shared file, a published file, and responses about a table', async () => {
    const ann = await withOldFile()
    const share = (await ann.post('/shares', { filename: 'old', expiresIn: 60 })).json
    const ops = await withOldFile('ops', 'another content')
    const client = await shared.newCaller('client')
    const { username } = (await ops.call('/auth/me')).json
    await makeTable(ann, 'sales', 'id\n1\n2\n')
    const targets: [Caller, string, Record<string, string>?][] = [
      [ann, new URL(share.url).pathname],
      [client, `/published/${username}/old`],
      [ann, '/tables/sales'],
      [ann, '/tables/sales/summary'],
      [ann, '/tables/sales/facets'],
      [ann, '/tables/sales/rows?limit=1'],
      [ann, '/tables/sales/rows', { Accept: 'text/csv' }],
      [ann, '/tables/sales/rows', { Accept: 'application/x-ndjson' }],
    ]
    const tags = new Set<unknown>()
    for (const [caller, path, more] of targets) {
      const first = await caller.call(path, { headers: { ...more } })
      const { etag, 'last-modified': date } = first.headers as Record<string, string>
      expect({ path, status: first.status }).toEqual({ path, status: 200 })
      expect(first.headers['cache-control']).toBe('private, no-cache')
      tags.add(etag)
      const status = async (headers: Record<string, string>) =>
        (await caller.call(path, { headers: { ...more, ...headers } })).status
      expect({ path, status: await status({ 'If-None-Match': etag! }) }).toEqual({ path, status: 304 })
      expect({ path, status: await status({ 'If-Modified-Since': date! }) }).toEqual({ path, status: 304 })
      expect({ path, status: await status({ 'If-Modified-Since': longAgo }) }).toEqual({ path, status: 200 })
      expect({ path, status: await status({ 'If-Unmodified-Since': longAgo }) }).toEqual({ path, status: 412 })
      expect({ path, status: await status({ 'If-Match': '"other"' }) }).toEqual({ path, status: 412 })
      expect({ path, status: await status({ 'If-Match': etag!, 'If-Unmodified-Since': longAgo }) }).toEqual({
        path,
        status: 200,
      })
    }
    expect(tags.size).toBe(targets.length)
  })

  it('apply to the removal of a table and of an import, whose tag changes with the table', async () => {
    const ann = await shared.newCaller()
    const { id } = await makeTable(ann, 't', 'id\n1\n')
    const tagOf = async () => (await ann.call('/tables/t')).headers.etag as string
    const old = await tagOf()
    await makeTable(ann, 't', 'id\n2\n')
    const remove = async (path: string, headers: Record<string, string>) =>
      (await ann.call(path, { method: 'DELETE', headers })).status
    expect(await remove('/tables/t', { 'If-Match': old })).toBe(412)
    expect(await remove('/tables/t', { 'If-Unmodified-Since': longAgo })).toBe(412)
    expect(await remove(`/tables/t/imports/${id}`, { 'If-Unmodified-Since': longAgo })).toBe(412)
    expect((await ann.call('/tables/t')).json.rows).toBe(2)
    expect(await remove(`/tables/t/imports/${id}`, { 'If-Unmodified-Since': after2100 })).toBe(204)
    expect(await remove('/tables/t', { 'If-Match': await tagOf() })).toBe(204)
  })
})

describe('preconditions in combination', () => {
  it('are evaluated in the order of RFC 9110 section 13.2.2', () => {
    const current = { entityTag: '"a"', lastModified: changed.getTime() }
    const at = Math.floor(current.lastModified / 1000) * 1000
    for (const ifMatch of [undefined, ['"a"'], ['W/"a"'], ['"b"'], '*' as const]) {
      for (const ifUnmodifiedSince of [undefined, at - 1000, at]) {
        for (const ifNoneMatch of [undefined, ['"a"'], ['W/"a"'], ['"b"'], '*' as const]) {
          for (const ifModifiedSince of [undefined, at - 1000, at]) {
            const conditions = { ifMatch, ifUnmodifiedSince, ifNoneMatch, ifModifiedSince }
            const matches = ifMatch === '*' || ifMatch?.[0] === '"a"'
            const noneMatches = ifNoneMatch?.[0] === '"b"'
            const expected =
              ifMatch && !matches
                ? 'If-Match'
                : !ifMatch && ifUnmodifiedSince === at - 1000
                  ? 'If-Unmodified-Since'
                  : ifNoneMatch && !noneMatches
                    ? 'If-None-Match'
                    : !ifNoneMatch && ifModifiedSince === at
                      ? 'If-Modified-Since'
                      : null
            expect({ conditions, failed: evaluateConditions(conditions, current) }).toEqual({
              conditions,
              failed: expected,
            })
          }
        }
      }
    }
  })
})

const longAgo = 'Mon, 01 Jan 2001 00:00:00 GMT'
const after2100 = 'Fri, 01 Jan 2100 00:00:00 GMT'
const formType = { 'Content-Type': 'multipart/form-data; boundary=b' }
const form = '--b\r\nContent-Disposition: form-data; name="f"; filename="old"\r\n\r\nx\r\n--b--\r\n'
