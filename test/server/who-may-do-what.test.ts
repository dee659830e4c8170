import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Role, roles } from '../../dist/protocol/roles.js'
import type { RouteEntry } from '../../dist/server/routing/route-entry.js'
import { routeTable } from '../../dist/server/routing/route-table.js'
import { holdUpload } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const entries: [string, RouteEntry][] = Object.entries(routeTable)

/**
 * What must stay closed, or open, stated a second time and compared with the table itself: an entry that opens by mistake
 * is found here, not by the requests below, which expect what the table says.
 */
const withoutToken = [
  ...[
    'GET /',
    'GET /account',
    'GET /shared',
    'GET /admin/{view}',
    'GET /admin/jobs/{id}',
    'GET /features',
    'GET /assets/{file}',
    'GET /favicon.svg',
    'GET /manifest.webmanifest',
    'GET /icons/{file}',
    'GET /openapi.json',
    'GET /docs',
  ],
  ...['GET /healthz', 'GET /readyz', 'GET /metrics', 'GET /s/{token}', 'GET /s/{token}/{name}'],
  ...['GET /invitations/{token}', 'POST /invitations/{token}'],
  ...[
    'POST /auth/signup',
    'POST /auth/login',
    'GET /auth/cookie',
    'POST /auth/cookie',
    'POST /auth/tokens',
    'POST /auth/tokens/refresh',
  ],
  ...['POST /signin', 'POST /auth/signin', 'POST /auth/users', 'POST /token', 'POST /token/refresh'],
  'POST /s/{token}',
  ...['GET /r/{token}', 'POST /r/{token}', 'PUT /r/{token}/{name}', 'POST /r/{token}/tus'],
  ...['HEAD /r/{token}/tus/{id}', 'PATCH /r/{token}/tus/{id}', 'DELETE /r/{token}/tus/{id}'],
  ...['GET /ops/signup', 'POST /ops/signup', 'GET /ops/login', 'POST /ops/login'],
  ...['GET /client/signup', 'POST /client/signup', 'GET /client/login', 'POST /client/login'],
]
const limitedToRoles = {
  'user, ops, admin': [
    ...['PUT /files', 'POST /files', 'POST /files/{folder}/'],
    ...['POST /upload', 'PUT /files/{name}', 'PUT /files/{folder}/', 'POST /files/{name}/move'],
    ...['POST /tus', 'POST /shares', 'POST /requests'],
    ...[
      'POST /import',
      'POST /import/check',
      'PATCH /tables/{table}',
      'DELETE /tables/{table}',
      'DELETE /tables/{table}/imports/{id}',
      'POST /query',
    ],
    ...['POST /collect/baseline', 'GET /collect/baseline', 'DELETE /collect/baseline/{id}'],
    ...['POST /collect/team', 'GET /collect/team', 'DELETE /collect/team/{id}', 'GET /collect/data'],
  ],
  ops: ['POST /ops/upload'],
  client: [
    ...[
      'GET /published',
      'GET /published/{ops}',
      'POST /published/{ops}',
      'GET /published/{ops}/{name}',
      'HEAD /published/{ops}/{name}',
    ],
    ...['GET /client/files/{ops}', 'GET /client/files/{ops}/{name}'],
  ],
  admin: [
    'GET /accounts',
    'POST /accounts',
    'PATCH /accounts/{account}',
    'DELETE /accounts/{account}',
    'POST /accounts/{account}/invitation',
    ...['GET /server', 'POST /server/check', 'GET /server/log', 'GET /server/log/events'],
  ],
}
const everyAccountForAdmins = [
  ...['GET /jobs', 'GET /jobs/events', 'GET /jobs/{id}', 'PATCH /jobs/{id}'],
  ...['POST /jobs/{id}/stop', 'POST /jobs/{id}/pause', 'POST /jobs/{id}/resume', 'GET /jobs/{id}/files'],
]

/** Each request of the matrix, with the roles that its entry admits; undefined where no token is needed. */
const matrix: [string, readonly Role[] | undefined][] = entries.flatMap(([route, { access, everyAccount }]) => {
  const admitted = access === 'open' ? undefined : access === 'account' ? roles : access
  const all: [string, readonly Role[]][] =
    everyAccount && /^GET [^{]*$/.test(route) ? [[`${route}?account=all`, everyAccount]] : []
  return [[route, admitted], ...all]
})

describe('the table of routes', () => {
  test('requires a token for every route but logins, links and the server’s own pages', () => {
    const open = entries.filter(([, { access }]) => access === 'open').map(([route]) => route)
    expect(open.sort()).toEqual([...withoutToken].sort())
  })

  test('limits to roles what goes beyond an account’s own data', () => {
    const limited: Record<string, string[]> = {}
    for (const [route, { access }] of entries) {
      if (typeof access !== 'string') limited[access.join(', ')] = [...(limited[access.join(', ')] ?? []), route].sort()
    }
    const stated = Object.entries(limitedToRoles).map(([who, routes]) => [who, [...routes].sort()])
    expect(limited).toEqual(Object.fromEntries(stated))
  })

  test('gives the jobs of other accounts to admins only', () => {
    const reaching = entries.filter(([, { everyAccount }]) => everyAccount)
    expect(reaching.map(([route]) => route).sort()).toEqual([...everyAccountForAdmins].sort())
    for (const [route, { everyAccount }] of reaching) expect(everyAccount, route).toEqual(['admin'])
  })
})

const password = 'correct horse'
/** Bodies where an empty object would be refused as if it were a matter of who asks. */
const bodies: Record<string, object> = {
  'POST /signin': { username: 'known', password },
  'POST /auth/signin': { username: 'known', password },
}
const wayIn = { 'Tus-Resumable': '1.0.0', 'Filejobs-Csrf': '1', 'Content-Type': 'application/json' }

describe('access by role', () => {
  const shared = shareServer()
  const tokens = new Map<Role, string>()
  const logIn = (role: Role) => shared.server.logIn(role === 'admin' ? 'admin' : 'caller', role)
  beforeAll(async () => {
    await shared.server.logIn('known')
    for (const role of roles) tokens.set(role, await logIn(role))
  })

  test.each([...roles, null])('follows the table of routes for the role %s on every route', async (role) => {
    const wrong: string[] = []
    for (const [route, admitted] of matrix) {
      const [method = '', pattern = ''] = route.split(' ')
      const path = pattern
        .replace('{name}', 'x')
        .replace('{account}', 'user:x')
        .replace(/\{\w+\}/g, '0')
      // These end the session that asks.
      const ends = route === 'POST /auth/logout' || route === 'GET /logout'
      const token = role === null ? undefined : ends ? await logIn(role) : tokens.get(role)
      const answer = await fetch(shared.server.url + path, {
        method,
        headers: {
          ...wayIn,
          Origin: shared.server.url,
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        ...(/GET|HEAD/.test(method) ? {} : { body: JSON.stringify(bodies[route] ?? {}) }),
      })
      await answer.body?.cancel()
      const letIn = ![401, 403].includes(answer.status)
      const expected = !admitted ? 'in' : role === null ? '401' : admitted.includes(role) ? 'in' : '403'
      const found = letIn && answer.status < 500 && answer.status !== 405 ? 'in' : String(answer.status)
      if (found !== expected) wrong.push(`${route}: ${found} instead of ${expected}`)
    }
    expect(wrong).toEqual([])
  })

  test('excludes the jobs of other accounts, except for admins', async () => {
    const owner = await shared.newCaller()
    for (const role of roles) {
      const held = await holdUpload(owner, `held-for-${role}`)
      const as = { Authorization: `Bearer ${tokens.get(role)}` }
      const statuses = []
      for (const [method, action] of [
        ['GET', ''],
        ['POST', '/pause'],
        ['POST', '/resume'],
        ['POST', '/stop'],
      ] as const) {
        statuses.push((await fetch(`${shared.server.url}/jobs/${held.id}${action}`, { method, headers: as })).status)
      }
      expect(statuses, role).toEqual(role === 'admin' ? [200, 200, 200, 200] : [404, 404, 404, 404])
      if (role !== 'admin') held.finish()
      expect((await held.answer).status, role).toBe(role === 'admin' ? 409 : 201)
    }
  })

  test('matches docs/api.md', () => {
    const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
    const rows = [...text.matchAll(/^\| (user, ops, admin|ops|client|admin) \| (.*) \|$/gm)]
    const documented = rows.map(([, who, routes]) => [
      who,
      [...routes!.matchAll(/`([^`]+)`/g)].map(([, route]) => route),
    ])
    const tableRows = Object.keys(limitedToRoles).map((who) => [
      who,
      entries
        .filter(([, { access }]) => typeof access !== 'string' && access.join(', ') === who)
        .map(([route]) => route),
    ])
    expect(documented).toEqual(tableRows)
  })
})
