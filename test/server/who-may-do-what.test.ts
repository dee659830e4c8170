import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../dist/server/app.js'
import { permissions } from '../../dist/server/auth/permissions.js'
import { parseConfig } from '../../dist/server/config.js'
import { holdUpload } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const roles = ['user', 'ops', 'client', 'admin'] as const
type Role = (typeof roles)[number]

const anyone = 'anyone'
const loggedIn: readonly Role[] = roles
const owners: readonly Role[] = ['user', 'ops', 'admin']
const onlyOps: readonly Role[] = ['ops']
const onlyClients: readonly Role[] = ['client']
const onlyAdmins: readonly Role[] = ['admin']

/** Every route, and who may use it. A new route needs its line here. */
const table: Record<string, typeof anyone | readonly Role[]> = {
  'GET /': anyone,
  'GET /assets/:name': anyone,
  'GET /favicon.svg': anyone,
  'GET /healthz': anyone,
  'GET /readyz': anyone,
  'GET /metrics': anyone,
  'GET /openapi.json': anyone,
  'GET /docs': anyone,
  'POST /auth/signup': anyone,
  'POST /auth/login': anyone,
  'POST /auth/cookie': anyone,
  'POST /auth/tokens': anyone,
  'POST /auth/tokens/refresh': anyone,
  'POST /auth/logout': loggedIn,
  'GET /auth/me': loggedIn,
  'GET /auth/sessions': loggedIn,
  'DELETE /auth/sessions/:id': loggedIn,
  'POST /auth/password': loggedIn,
  'GET /accounts': onlyAdmins,
  'POST /accounts': onlyAdmins,
  'PATCH /accounts/:account': onlyAdmins,
  'DELETE /accounts/:account': onlyAdmins,
  'POST /upload': owners,
  'POST /upload/stop': loggedIn,
  'PUT /files/*': owners,
  'GET /files': loggedIn,
  'GET /files/*': loggedIn,
  'DELETE /files/*': loggedIn,
  'POST /files/*/move': owners,
  'POST /export': loggedIn,
  'POST /export/stop': loggedIn,
  'POST /tus': owners,
  'HEAD /tus/:id': loggedIn,
  'PATCH /tus/:id': loggedIn,
  'DELETE /tus/:id': loggedIn,
  'GET /jobs': loggedIn,
  'GET /jobs?account=all': onlyAdmins,
  'GET /jobs/events': loggedIn,
  'GET /jobs/events?account=all': onlyAdmins,
  'GET /jobs/:id': loggedIn,
  'POST /jobs/:id/stop': loggedIn,
  'POST /jobs/:id/pause': loggedIn,
  'POST /jobs/:id/resume': loggedIn,
  'PATCH /jobs/:id': loggedIn,
  'POST /import': owners,
  'POST /import/stop': loggedIn,
  'GET /tables': loggedIn,
  'GET /tables/:table': loggedIn,
  'GET /tables/:table/summary': loggedIn,
  'GET /tables/:table/rows': loggedIn,
  'DELETE /tables/:table': owners,
  'DELETE /tables/:table/imports/:id': owners,
  'POST /query': owners,
  'POST /shares': owners,
  'GET /shares': loggedIn,
  'DELETE /shares/:id': loggedIn,
  'GET /s/:token': anyone,
  'GET /published/*': onlyClients,

  'POST /signin': anyone,
  'DELETE /upload/terminate': loggedIn,
  'POST /export/terminate': loggedIn,
  'POST /auth/signin': anyone,
  'DELETE /upload/kill': loggedIn,
  'POST /export/kill': loggedIn,
  'POST /auth/users': anyone,
  'POST /token': anyone,
  'POST /token/refresh': anyone,
  'POST /collect/baseline': owners,
  'GET /collect/baseline': owners,
  'DELETE /collect/baseline/:id': owners,
  'POST /collect/team': owners,
  'GET /collect/team': owners,
  'DELETE /collect/team/:id': owners,
  'GET /collect/data': owners,
  'GET /ops/signup': anyone,
  'POST /ops/signup': anyone,
  'GET /ops/login': anyone,
  'POST /ops/login': anyone,
  'GET /client/signup': anyone,
  'POST /client/signup': anyone,
  'GET /client/login': anyone,
  'POST /client/login': anyone,
  'GET /logout': loggedIn,
  'POST /ops/upload': onlyOps,
  'GET /client/files/*': onlyClients,
}

const password = 'correct horse'
/** Bodies where an empty object would be refused as if it were a matter of who asks. */
const bodies: Record<string, object> = {
  'POST /signin': { username: 'known', password },
  'POST /auth/signin': { username: 'known', password },
}
const wayIn = { 'Tus-Resumable': '1.0.0', 'Filejobs-Csrf': '1', 'Content-Type': 'application/json' }

describe('who may do what', () => {
  const shared = shareServer()
  const tokens = new Map<Role, string>()
  const logIn = (role: Role) => shared.server.logIn(role === 'admin' ? 'admin' : 'asker', role)
  beforeAll(async () => {
    await shared.server.logIn('known')
    for (const role of roles) tokens.set(role, await logIn(role))
  })

  test('names every route that there is', () => {
    const named = new Set(Object.keys(table).map((route) => route.replace(/\?.*|\/move$/, '')))
    expect([...named].filter((route) => !/ \/tus/.test(route)).sort()).toEqual(mountedRoutes())
  })

  test.each([...roles, 'nobody'] as const)('holds for %s on every route', async (role) => {
    const wrong: string[] = []
    for (const [route, who] of Object.entries(table)) {
      const [method = '', pattern = ''] = route.split(' ')
      const path = pattern.replace('/*', '/x').replace(':account', 'user:x').replace(/:\w+/g, '0')
      // These end the session that asks.
      const ends = route === 'POST /auth/logout' || route === 'GET /logout'
      const token = role === 'nobody' ? undefined : ends ? await logIn(role) : tokens.get(role)
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
      const expected = who === anyone ? 'in' : role === 'nobody' ? '401' : who.includes(role) ? 'in' : '403'
      const found = letIn && answer.status < 500 && answer.status !== 405 ? 'in' : String(answer.status)
      if (found !== expected) wrong.push(`${route}: ${found} instead of ${expected}`)
    }
    expect(wrong).toEqual([])
  })

  test('lets nobody but admins reach the jobs of others', async () => {
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

  test('is what docs/api.md says', () => {
    const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
    const documented = [...text.matchAll(/^\| `(\w+)` \|[^|]*\|([^|]*)\|$/gm)]
    expect(Object.fromEntries(documented.map(([, name, who]) => [name, who!.trim().split(', ')]))).toEqual(permissions)
  })
})

/** The routes of the app, without running any of them: nothing here is asked for anything. */
function mountedRoutes(): string[] {
  const nothing: unknown = new Proxy(() => {}, {
    get: (_target, key) => (key === Symbol.toPrimitive ? () => '' : nothing),
    apply: () => nothing,
  })
  const services = new Proxy({ config: parseConfig() }, { get: (own, key) => Reflect.get(own, key) ?? nothing })
  const app = createApp(services as never)
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)
  return [...new Set(routes)].sort()
}
