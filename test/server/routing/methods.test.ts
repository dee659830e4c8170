import { describe, expect, test } from 'vitest'
import { methods, type RouteEntry } from '../../../dist/server/routing/route-entry.js'
import { routeTable } from '../../../dist/server/routing/route-table.js'
import { Caller } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer()
const anyone = () => new Caller(shared.server, 'none')

const entries = Object.entries(routeTable as Record<string, RouteEntry>).map(([key, entry]) => {
  const [method = '', path = ''] = key.split(' ')
  return { method, path: path.replace(/\{\w+\}/g, 'x').replace(/(.)\/$/, '$1'), pattern: path, entry }
})

const paths = [...new Set(entries.map(({ path }) => path))]
/** Names have slashes: these paths are those of files, too. */
const alsoNames: Record<string, RegExp> = { '/files/{name}': /^\/files\/x\/move$/, '/r/{token}/{name}': /^\/r\/x\/tus/ }
const allowedAt = (path: string) => {
  const known = new Set(
    entries
      .filter(({ path: other, pattern }) => other === path || alsoNames[pattern]?.test(path))
      .map(({ method }) => method),
  )
  return [...methods.filter((method) => known.has(method) || (method === 'HEAD' && known.has('GET'))), 'OPTIONS']
}

describe('every path of the table of routes', () => {
  test.each(paths)('%s answers OPTIONS without a token: 204 with Allow', async (path) => {
    for (const asked of [path, path === '/' ? path : `${path}/`]) {
      const answer = await anyone().call(asked, { method: 'OPTIONS', headers: { Authorization: '' } })
      expect(answer).toMatchObject({ status: 204, headers: { allow: allowedAt(path).join(', ') } })
    }
  })

  test.each(paths)('%s answers other methods with 405 and Allow, without requiring a token', async (path) => {
    const allowed = allowedAt(path)
    for (const method of [...methods, 'TRACE', 'PROPFIND'].filter((method) => !allowed.includes(method))) {
      const answer = await anyone().call(path, { method })
      expect(answer, method).toMatchObject({ status: 405, headers: { allow: allowed.join(', ') } })
      const { errors } = entries.find((entry) => entry.path === path)!.entry
      const type = { collect: 'application/json', plain: 'text/plain; charset=UTF-8' } as const
      expect(answer.headers['content-type']).toBe(errors ? type[errors] : 'application/problem+json')
    }
  })
})

test('OPTIONS * is answered for the whole server, and other methods on * are rejected', async () => {
  const answer = await anyone().call('*', { method: 'OPTIONS', headers: { Authorization: '' } })
  expect(answer).toMatchObject({ status: 204, headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' } })
  expect((await anyone().call('*')).status).toBe(400)
  expect((await anyone().call('/*')).status).toBe(404)
})

test('an unknown path is answered 404 for every method', async () => {
  for (const method of ['GET', 'POST', 'OPTIONS', 'TRACE']) {
    for (const path of ['/nowhere', '/jobs/x/y', '/auth', '/upload/x', '/files/x/../../jobs']) {
      expect([400, 404]).toContain((await anyone().call(path, { method })).status)
    }
  }
})

test('HEAD is answered as GET, without a body', async () => {
  const ann = await shared.newCaller()
  for (const path of ['/healthz', '/files', '/jobs', '/auth/me', '/', '/openapi.json', '/docs']) {
    const [get, head] = [await ann.call(path), await ann.call(path, { method: 'HEAD' })]
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(head.headers['content-type']).toBe(get.headers['content-type'])
  }
})

test('OPTIONS on /tus lists the supported tus extensions', async () => {
  for (const path of ['/tus', '/tus/x']) {
    const answer = await anyone().call(path, { method: 'OPTIONS', headers: { Authorization: '' } })
    expect(answer).toMatchObject({ status: 204, headers: { 'tus-version': '1.0.0', 'tus-resumable': '1.0.0' } })
    expect(answer.headers['tus-extension']).toContain('creation')
  }
})

test('a file below a folder "move" can be read, and only POST renames', async () => {
  const ann = await shared.newCaller()
  expect((await ann.put('a/move', 'text')).status).toBe(201)
  expect((await ann.call('/files/a/move')).body.toString()).toBe('text')
  expect((await ann.call('/files/a/move/move', { method: 'POST', body: { to: 'b' } })).status).toBe(204)
  expect(await ann.names()).toEqual(['b'])
})
