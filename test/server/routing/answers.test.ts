import { gunzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { makeTable } from '../../helpers/tables.js'

const shared = shareServer()
const password = 'correct horse'
const gzip = { 'Accept-Encoding': 'gzip' }

describe('Cache-Control', () => {
  test('is no-store on every response with a token', async () => {
    const anyone = new Caller(shared.server, 'none')
    const credentials = { username: 'bearer', password }
    const page = { Origin: shared.server.url, 'Filejobs-Csrf': '1' }
    const ann = await shared.newCaller()
    await ann.put('shared.txt', 'text')
    const pair = await anyone.post('/auth/tokens', { ...credentials, username: (await signUp(anyone)).username })
    const answers = [
      await anyone.post('/auth/signup', credentials),
      await anyone.post('/auth/login', credentials),
      await anyone.call('/auth/cookie', { method: 'POST', body: credentials, headers: page }),
      pair,
      await anyone.post('/auth/tokens/refresh', { refresh: pair.json.refresh }),
      await anyone.post('/signin', credentials),
      await anyone.post('/auth/signin', credentials),
      await anyone.post('/token/', credentials),
      await ann.post('/shares', { filename: 'shared.txt', expiresIn: 60 }),
      await ann.call('/shares'),
    ]
    for (const role of ['ops', 'client']) {
      await anyone.post(`/${role}/signup`, credentials)
      answers.push(await anyone.post(`/${role}/login`, credentials))
    }
    for (const { status, headers } of answers) {
      expect(status).toBeLessThan(300)
      expect(headers['cache-control']).toBe('no-store')
    }
  })

  test('is private, no-cache on files, lists and rows, and no-store on errors', async () => {
    const ann = await shared.newCaller()
    await ann.put('data.csv', 'a,b\n1,2\n')
    await ann.call('/import', { method: 'POST', body: { filename: 'data.csv' }, headers: { Prefer: 'wait=60' } })
    for (const path of [
      '/files/data.csv',
      '/files',
      '/jobs',
      '/tables',
      '/tables/data',
      '/tables/data/rows',
      '/auth/me',
    ]) {
      expect([path, (await ann.call(path)).headers['cache-control']]).toEqual([path, 'private, no-cache'])
    }
    const csv = await ann.call('/tables/data/rows', { headers: { Accept: 'text/csv' } })
    expect(csv.headers['cache-control']).toBe('private, no-cache')
    for (const path of ['/files/missing', '/nowhere']) {
      expect((await ann.call(path)).headers['cache-control']).toBe('no-store')
    }
  })
})

describe('compression', () => {
  test('applies to lists, for clients that accept gzip only', async () => {
    const ann = await shared.newCaller()
    for (let at = 0; at < 15; at++) expect((await ann.put(`one-of-many-files-${at}`, 'text')).status).toBe(201)
    for (const path of ['/files', '/jobs']) {
      const [plain, small] = [await ann.call(path), await ann.call(path, { headers: gzip })]
      expect(plain.headers['content-encoding']).toBeUndefined()
      expect(small.headers['content-encoding']).toBe('gzip')
      expect(small.headers.vary?.split(', ')).toContain('Accept-Encoding')
      expect(small.body.length).toBeLessThan(plain.body.length / 3)
      expect(JSON.parse(gunzipSync(small.body).toString())).toEqual(plain.json)
    }
  })

  test('does not apply to files, ranges, rows as CSV, events, and responses with a token', async () => {
    const ann = await shared.newCaller()
    await ann.put('data.csv', 'a,b\n1,2\n'.repeat(1000))
    await ann.call('/import', { method: 'POST', body: { filename: 'data.csv' }, headers: { Prefer: 'wait=60' } })
    await ann.post('/shares', { filename: 'data.csv', expiresIn: 60 })
    const answers = [
      await ann.call('/files/data.csv', { headers: gzip }),
      await ann.call('/files/data.csv', { headers: { ...gzip, Range: 'bytes=0-3999' } }),
      await ann.call('/tables/data/rows', { headers: { ...gzip, Accept: 'text/csv' } }),
      await ann.call('/shares', { headers: gzip }),
      await ann.call('/jobs/events', { method: 'HEAD', headers: gzip }),
      await new Caller(ann, '').call('/auth/signup', {
        method: 'POST',
        headers: gzip,
        body: { username: 'z', password },
      }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 206, 200, 200, 200, 201])
    for (const { headers } of answers) expect(headers['content-encoding']).toBeUndefined()
  })

  test('keeps the Vary header of CORS', async () => {
    const server = await startTestServer({ corsOrigin: 'https://app.example' })
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    for (const path of ['/files', '/openapi.json']) {
      const { headers } = await ann.call(path, { headers: { ...gzip, Origin: 'https://app.example' } })
      expect(headers.vary?.split(', ')).toEqual(expect.arrayContaining(['Accept-Encoding', 'Origin']))
    }
  })

  test('adds Accept to the Vary header of rows', async () => {
    const ann = await shared.newCaller()
    await makeTable(ann, 't', 'a,b\n1,2\n')
    for (const Accept of ['application/json', 'text/csv', 'application/x-ndjson']) {
      const { headers } = await ann.call('/tables/t/rows', { headers: { Accept } })
      expect(headers.vary?.split(', ').sort(), Accept).toEqual(['Accept', 'Accept-Encoding'])
      const again = { Accept, 'If-None-Match': headers.etag }
      const { status, headers: kept } = await ann.call('/tables/t/rows', { headers: again })
      expect({ status, vary: kept.vary?.split(', ').sort() }).toEqual({
        status: 304,
        vary: ['Accept', 'Accept-Encoding'],
      })
    }
  })
})

test.each(['/openapi.json', '/docs', '/favicon.svg', '/manifest.webmanifest'])(
  '%s has an entity tag for each encoding, and answers 304',
  async (path) => {
    const anyone = new Caller(shared.server, 'none')
    const tags = new Set<string>()
    const sizes: number[] = []
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headers = { 'Accept-Encoding': encoding }
      const answer = await anyone.call(path, { headers })
      expect(answer.headers['content-encoding']).toBe(encoding === 'identity' ? undefined : encoding)
      expect(answer.headers.vary).toBe('Accept-Encoding')
      const { etag = '' } = answer.headers
      tags.add(etag)
      sizes.push(answer.body.length)
      const again = await anyone.call(path, { headers: { ...headers, 'If-None-Match': etag } })
      expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0), headers: { etag } })
    }
    expect(tags.size).toBe(3)
    expect(sizes[1]).toBeLessThan(sizes[0]!)
  },
)

async function signUp(anyone: Caller): Promise<{ username: string }> {
  return (await anyone.post('/auth/signup', { username: 'paired', password })).json
}
