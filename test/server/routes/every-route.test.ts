import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TokenPairRecord } from '../../../dist/protocol/accounts.js'
import { type DeclaredApi, openShapes } from '../../helpers/api-shapes.js'
import { startTestServer, type TestServer } from '../../helpers/server.js'
import { tarOf } from '../../helpers/tars.js'

/** One request, and the expected status. */
interface Call {
  path: string
  status: number
  init?: RequestInit
}

type Scenario = (api: Api) => Promise<Call[]> | Call[]

/** Every route that the document declares, each with an answer and a refusal at least. */
const tar = new Uint8Array(tarOf([{ name: 'a.txt', content: 'some text' }]))

const scenarios: Record<string, Scenario> = {
  'GET /healthz': () => [{ path: '/healthz', status: 200 }],
  'GET /readyz': () => [{ path: '/readyz', status: 200 }],
  'GET /features': () => [{ path: '/features', status: 200 }],
  'GET /metrics': () => [
    { path: '/metrics', status: 200 },
    { path: '/metrics', init: { headers: { Forwarded: 'for=10.0.0.1' } }, status: 403 },
  ],
  'GET /openapi.json': () => [{ path: '/openapi.json', status: 200 }],
  'GET /docs': () => [{ path: '/docs', status: 200 }],

  'POST /auth/signup': () => [
    { path: '/auth/signup', init: json({ username: 'new', password: 'correct horse' }), status: 201 },
    { path: '/auth/signup', init: json({ username: 'new', password: 'correct horse' }), status: 200 },
    { path: '/auth/signup', init: json({ username: 'new', password: 'wrong horse' }), status: 409 },
    { path: '/auth/signup', init: json({ username: 'new', password: 'short' }), status: 400 },
    { path: '/auth/signup', init: json({ username: 'x', password: 'correct horse', role: 'admin' }), status: 403 },
    { path: '/auth/signup', init: { method: 'POST', body: 'a=b' }, status: 415 },
  ],
  'POST /auth/login': () => [
    { path: '/auth/login', init: json({ username: 'ann', password: 'correct horse' }), status: 200 },
    { path: '/auth/login', init: json({ username: 'ann', password: 'wrong horse' }), status: 401 },
    { path: '/auth/login', init: json({ password: 'correct horse' }), status: 400 },
  ],
  'GET /auth/cookie': ({ server }) => {
    const cookie: Record<string, string> = { Cookie: `filejobs-${new URL(server.url).port}=x` }
    return [
      { path: '/auth/cookie', status: 200 },
      { path: '/auth/cookie', init: { headers: cookie }, status: 200 },
      { path: '/auth/cookie', init: { headers: { ...cookie, 'Sec-Fetch-Site': 'same-site' } }, status: 403 },
    ]
  },
  'POST /auth/cookie': ({ server }) => {
    const page = { 'Filejobs-Csrf': '1', Origin: server.url }
    return [
      { path: '/auth/cookie', init: json({ username: 'ann', password: 'correct horse' }, page), status: 200 },
      {
        path: '/auth/cookie',
        init: json({ username: 'paul', password: 'correct horse', signup: true }, page),
        status: 201,
      },
      { path: '/auth/cookie', init: json({ username: 'ann', password: 'wrong horse' }, page), status: 401 },
      {
        path: '/auth/cookie',
        init: json({ username: 'ann', password: 'correct horse', role: 'ops', signup: true }, page),
        status: 201,
      },
      { path: '/auth/cookie', init: json({ username: 'ann', password: 'correct horse' }, page), status: 409 },
      { path: '/auth/cookie', init: json({ username: 'ops:ann', password: 'correct horse' }, page), status: 200 },
      { path: '/auth/cookie', init: json({ username: 'ann', password: 'correct horse' }), status: 403 },
    ]
  },
  'POST /auth/logout': async (api) => [
    { path: '/auth/logout', init: { method: 'POST', headers: bearer(await api.server.logIn('leaving')) }, status: 204 },
    { path: '/auth/logout', init: { method: 'POST' }, status: 401 },
  ],
  'GET /auth/me': ({ ann }) => [
    { path: '/auth/me', init: { headers: ann }, status: 200 },
    { path: '/auth/me', status: 401 },
  ],
  'GET /auth/sessions': ({ ann }) => [{ path: '/auth/sessions', init: { headers: ann }, status: 200 }],
  'DELETE /auth/sessions/{id}': async ({ ann, server }) => {
    await server.logIn('ann')
    const answer = await fetch(`${server.url}/auth/sessions`, { headers: ann })
    const { sessions } = (await answer.json()) as { sessions: { id: string; current: boolean }[] }
    const other = sessions.find((session) => !session.current)!.id
    return [
      { path: `/auth/sessions/${other}`, init: { method: 'DELETE', headers: ann }, status: 204 },
      { path: `/auth/sessions/${other}`, init: { method: 'DELETE', headers: ann }, status: 404 },
    ]
  },
  'POST /auth/password': async ({ server }) => {
    const headers = bearer(await server.logIn('changing'))
    return [
      { path: '/auth/password', init: json({ current: 'correct horse', new: 'battery staple' }, headers), status: 204 },
      { path: '/auth/password', init: json({ current: 'correct horse', new: 'battery staple' }, headers), status: 401 },
    ]
  },
  'POST /auth/tokens': () => [
    { path: '/auth/tokens', init: json({ username: 'ann', password: 'correct horse' }), status: 200 },
    { path: '/auth/tokens', init: json({ username: 'ann', password: 'wrong horse' }), status: 401 },
    { path: '/auth/tokens', init: json({ username: 'ann' }), status: 400 },
  ],
  'POST /auth/tokens/refresh': async ({ server }) => {
    const pair = json({ username: 'ann', password: 'correct horse' })
    const { access, refresh } = (await (await fetch(`${server.url}/auth/tokens`, pair)).json()) as TokenPairRecord
    return [
      { path: '/auth/tokens/refresh', init: json({ refresh }), status: 200 },
      { path: '/auth/tokens/refresh', init: json({ refresh: access }), status: 401 },
      { path: '/auth/tokens/refresh', init: json({}), status: 400 },
    ]
  },
  'GET /accounts': ({ admin, ann }) => [
    { path: '/accounts', init: { headers: admin }, status: 200 },
    { path: '/accounts', init: { headers: ann }, status: 403 },
  ],
  'POST /accounts': ({ admin }) => [
    { path: '/accounts', init: json({ username: 'made', password: 'correct horse' }, admin), status: 201 },
    { path: '/accounts', init: json({ username: 'made', password: 'correct horse' }, admin), status: 409 },
    { path: '/accounts', init: json({ username: '-', password: 'correct horse' }, admin), status: 400 },
    { path: '/accounts', init: json({ username: 'unset', invitation: { expiresIn: 60 } }, admin), status: 201 },
  ],
  'PATCH /accounts/{account}': ({ admin }) => [
    { path: '/accounts/user:ann', init: json({ disabled: false }, admin, 'PATCH'), status: 200 },
    { path: '/accounts/admin:admin', init: json({ disabled: true }, admin, 'PATCH'), status: 409 },
    { path: '/accounts/user:nobody', init: json({ disabled: true }, admin, 'PATCH'), status: 404 },
  ],
  'DELETE /accounts/{account}': async ({ admin, server }) => {
    await server.logIn('going')
    return [
      { path: '/accounts/user:going', init: { method: 'DELETE', headers: admin }, status: 204 },
      { path: '/accounts/user:going', init: { method: 'DELETE', headers: admin }, status: 404 },
    ]
  },

  'POST /accounts/{account}/invitation': ({ admin, ann }) => [
    { path: '/accounts/user:ann/invitation', init: json({}, admin), status: 201 },
    { path: '/accounts/user:ann/invitation', init: json({ expiresIn: 0 }, admin), status: 400 },
    { path: '/accounts/user:nobody/invitation', init: json({}, admin), status: 404 },
    { path: '/accounts/user:ann/invitation', init: json({}, ann), status: 403 },
  ],
  'GET /invitations/{token}': async (api) => [
    { path: await invite(api, 'invited'), status: 200 },
    { path: '/invitations/guessed', status: 404 },
  ],
  'POST /invitations/{token}': async (api) => {
    const path = await invite(api, 'accepting')
    return [
      { path, init: json({ password: 'short' }), status: 400 },
      { path, init: json({ password: 'correct horse' }), status: 200 },
      { path, init: json({ password: 'correct horse' }), status: 404 },
    ]
  },

  'PUT /files/{name}': ({ ann }) => [
    { path: '/files/put.txt', init: { method: 'PUT', headers: ann, body: 'one' }, status: 201 },
    { path: '/files/put.txt', init: { method: 'PUT', headers: ann, body: 'two' }, status: 200 },
    {
      path: '/files/put.txt',
      init: { method: 'PUT', headers: { ...ann, 'If-None-Match': '*' }, body: 'x' },
      status: 412,
    },
    { path: '/files/put.txt/below', init: { method: 'PUT', headers: ann, body: 'x' }, status: 409 },
    { path: '/files/a%5Cb', init: { method: 'PUT', headers: ann, body: 'x' }, status: 400 },
    {
      path: '/files/wrong',
      init: { method: 'PUT', headers: { ...ann, 'Repr-Digest': `sha-256=:${'A'.repeat(43)}=:` }, body: 'x' },
      status: 422,
    },
  ],
  'GET /files/{name}': async (api) => {
    const { ann } = api
    await api.put('get.txt', 'some text')
    return [
      { path: '/files/get.txt', init: { headers: ann }, status: 200 },
      { path: '/files/get.txt', init: { headers: { ...ann, Range: 'bytes=2-4' } }, status: 206 },
      { path: '/files/get.txt', init: { headers: { ...ann, Range: 'bytes=99-' } }, status: 416 },
      { path: '/files/get.txt', init: { headers: { ...ann, 'If-None-Match': '*' } }, status: 304 },
      { path: '/files/get.txt', init: { headers: { ...ann, 'If-Match': '"other"' } }, status: 412 },
      { path: '/files/missing', init: { headers: ann }, status: 404 },
    ]
  },
  'HEAD /files/{name}': async (api) => {
    await api.put('head.txt', 'some text')
    return [
      { path: '/files/head.txt', init: { method: 'HEAD', headers: api.ann }, status: 200 },
      { path: '/files/missing', init: { method: 'HEAD', headers: api.ann }, status: 404 },
    ]
  },
  'DELETE /files/{name}': async (api) => {
    await api.put('delete.txt', 'some text')
    return [
      { path: '/files/delete.txt', init: { method: 'DELETE', headers: api.ann }, status: 204 },
      { path: '/files/delete.txt', init: { method: 'DELETE', headers: api.ann }, status: 404 },
    ]
  },
  'PUT /files/{folder}/': async ({ ann, put }) => {
    await put('taken', 'some text')
    return [
      { path: '/files/made/', init: { method: 'PUT', headers: ann }, status: 201 },
      { path: '/files/made/', init: { method: 'PUT', headers: ann }, status: 204 },
      { path: '/files/made/', init: { method: 'PUT', headers: { ...ann, 'If-None-Match': '*' } }, status: 412 },
      { path: '/files/taken/', init: { method: 'PUT', headers: ann }, status: 409 },
      { path: '/files/made/', init: { method: 'PUT', headers: ann, body: 'x' }, status: 400 },
    ]
  },
  'POST /files/{folder}/': async ({ ann, stopUploads }) => {
    await stopUploads()
    const lines = { ...ann, Accept: 'application/x-ndjson' }
    return [
      { path: '/files/from-tar/?extract=tar', init: { method: 'POST', headers: ann, body: tar }, status: 200 },
      { path: '/files/from-tar/?extract=tar', init: { method: 'POST', headers: lines, body: tar }, status: 200 },
      { path: '/files/from-tar/?extract=zip', init: { method: 'POST', headers: ann, body: tar }, status: 400 },
      { path: '/files/from-tar/?extract=tar', init: { method: 'POST', headers: ann, body: 'no tar' }, status: 400 },
    ]
  },
  'PUT /files': async ({ ann, stopUploads }) => {
    await stopUploads()
    return [{ path: '/files/?extract=tar', init: { method: 'PUT', headers: ann, body: tar }, status: 200 }]
  },
  'POST /files': async ({ ann, stopUploads }) => {
    await stopUploads()
    return [{ path: '/files/?extract=tar', init: { method: 'POST', headers: ann, body: tar }, status: 200 }]
  },
  'DELETE /files/{folder}/': async (api) => {
    await api.put('going/file.txt', 'some text')
    return [
      { path: '/files/going/', init: { method: 'DELETE', headers: { ...api.ann, 'If-Match': '"x"' } }, status: 412 },
      { path: '/files/going/', init: { method: 'DELETE', headers: api.ann }, status: 204 },
      { path: '/files/going/', init: { method: 'DELETE', headers: api.ann }, status: 404 },
    ]
  },
  'POST /files/{name}/move': async (api) => {
    await api.put('move.txt', 'some text')
    return [
      { path: '/files/move.txt/move', init: json({ to: 'moved/away.txt' }, api.ann), status: 204 },
      { path: '/files/move.txt/move', init: json({ to: 'moved/again.txt' }, api.ann), status: 404 },
      { path: '/files/move.txt/move', init: json({ to: '../x' }, api.ann), status: 400 },
    ]
  },
  'GET /files': ({ ann }) => [
    { path: '/files?prefix=p&limit=10', init: { headers: ann }, status: 200 },
    { path: '/files?limit=none', init: { headers: ann }, status: 400 },
    { path: '/files?delimiter=%2F', init: { headers: ann }, status: 200 },
    { path: '/files?delimiter=-', init: { headers: ann }, status: 400 },
    { path: '/files', init: { headers: { ...ann, Accept: 'application/x-ndjson' } }, status: 200 },
    { path: '/files?archive=tar', init: { headers: ann }, status: 200 },
    { path: '/files?archive=rar', init: { headers: ann }, status: 400 },
  ],
  'GET /published': async ({ ann, server }) => {
    await server.logIn('depot', 'ops')
    const client = bearer(await server.logIn('reader', 'client'))
    return [
      { path: '/published', init: { headers: client }, status: 200 },
      { path: '/published', init: { headers: ann }, status: 403 },
    ]
  },
  'GET /published/{ops}': async ({ ann, server }) => {
    await server.logIn('depot', 'ops')
    const client = bearer(await server.logIn('reader', 'client'))
    return [
      { path: '/published/depot?limit=5', init: { headers: client }, status: 200 },
      { path: '/published/depot?limit=0', init: { headers: client }, status: 400 },
      { path: '/published/nobody', init: { headers: client }, status: 404 },
      { path: '/published/depot', init: { headers: ann }, status: 403 },
    ]
  },
  'POST /published/{ops}': async ({ ann, server }) => {
    const ops = bearer(await server.logIn('depot', 'ops'))
    const client = bearer(await server.logIn('reader', 'client'))
    await fetch(`${server.url}/files/archived.txt`, { method: 'PUT', headers: ops, body: 'some text' })
    const wanted = { files: ['archived.txt'] }
    return [
      { path: '/published/depot', init: json(wanted, client), status: 200 },
      { path: '/published/depot', init: json({ files: [] }, client), status: 400 },
      { path: '/published/depot', init: json({ files: ['missing'] }, client), status: 404 },
      { path: '/published/depot', init: json(wanted, ann), status: 403 },
    ]
  },
  'GET /published/{ops}/{name}': async ({ server }) => {
    const ops = bearer(await server.logIn('depot', 'ops'))
    const client = bearer(await server.logIn('reader', 'client'))
    await fetch(`${server.url}/files/report.txt`, { method: 'PUT', headers: ops, body: 'some text' })
    return [
      { path: '/published/depot/report.txt', init: { headers: client }, status: 200 },
      { path: '/published/depot/report.txt', init: { headers: { ...client, Range: 'bytes=2-4' } }, status: 206 },
      { path: '/published/depot/missing', init: { headers: client }, status: 404 },
      { path: '/published/depot/report.txt', init: { headers: ops }, status: 403 },
    ]
  },
  'HEAD /published/{ops}/{name}': async ({ server, ann }) => {
    const ops = bearer(await server.logIn('depot', 'ops'))
    const client = bearer(await server.logIn('reader', 'client'))
    await fetch(`${server.url}/files/published.txt`, { method: 'PUT', headers: ops, body: 'some text' })
    return [
      { path: '/published/depot/published.txt', init: { method: 'HEAD', headers: client }, status: 200 },
      { path: '/published/depot/missing', init: { method: 'HEAD', headers: client }, status: 404 },
      { path: '/published/depot/published.txt', init: { method: 'HEAD', headers: ann }, status: 403 },
    ]
  },
  'POST /upload': ({ ann }) => {
    const form = new FormData()
    form.append('file', new File(['text'], 'form.txt'))
    return [
      { path: '/upload', init: { method: 'POST', headers: ann, body: form }, status: 201 },
      { path: '/upload', init: { method: 'POST', headers: ann, body: new FormData() }, status: 400 },
      { path: '/upload', init: json({}, ann), status: 415 },
    ]
  },
  'POST /upload/stop': async (api) => {
    await api.startUpload('stopped-1')
    return [
      { path: '/upload/stop', init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: '/upload/stop', init: { method: 'POST', headers: api.ann }, status: 404 },
    ]
  },
  'POST /export': async (api) => {
    await api.put('export.txt', 'some text')
    return [
      { path: '/export', init: json({ filename: 'export.txt' }, api.ann), status: 200 },
      { path: '/export', init: json({ filename: 'missing' }, api.ann), status: 404 },
      { path: '/export', init: json({ files: ['export.txt'], archive: 'zip' }, api.ann), status: 200 },
      { path: '/export', init: json({ files: ['missing/'] }, api.ann), status: 404 },
    ]
  },
  'GET /jobs/{id}/archive': async (api) => {
    await api.put('prepared.txt', 'some text')
    const wanted = json({ files: ['prepared.txt'], prepare: true }, api.ann)
    const { id } = await (await fetch(`${api.server.url}/export`, wanted)).json()
    return [
      { path: `/jobs/${id}/archive`, init: { headers: api.ann }, status: 200 },
      { path: `/jobs/${id}/archive`, init: { headers: api.ann }, status: 404 },
    ]
  },
  'POST /export/stop': ({ ann }) => [{ path: '/export/stop', init: { method: 'POST', headers: ann }, status: 404 }],

  'POST /shares': async (api) => {
    await api.put('share.txt', 'some text')
    return [
      { path: '/shares', init: json({ filename: 'share.txt', expiresIn: 60 }, api.ann), status: 201 },
      { path: '/shares', init: json({ filename: 'share.txt', expiresIn: 0 }, api.ann), status: 400 },
      { path: '/shares', init: json({ filename: 'missing', expiresIn: 60 }, api.ann), status: 404 },
    ]
  },
  'GET /shares': ({ ann }) => [{ path: '/shares', init: { headers: ann }, status: 200 }],
  'DELETE /shares/{id}': async (api) => {
    const { id } = await api.share('revoked.txt')
    return [
      { path: `/shares/${id}`, init: { method: 'DELETE', headers: api.ann }, status: 204 },
      { path: `/shares/${id}`, init: { method: 'DELETE', headers: api.ann }, status: 404 },
    ]
  },
  'GET /s/{token}/{name}': async (api) => {
    await api.put('linked/file.txt', 'some text')
    const { url } = await (
      await fetch(`${api.server.url}/shares`, json({ filename: 'linked/', expiresIn: 60 }, api.ann))
    ).json()
    const path = new URL(url).pathname
    return [
      { path: `${path}/file.txt`, init: {}, status: 200 },
      { path: `${path}/missing`, init: {}, status: 404 },
    ]
  },
  'POST /s/{token}': async (api) => {
    const path = new URL((await api.share('shared.txt')).url).pathname
    const form = (fields: string) => ({
      method: 'POST',
      body: new URLSearchParams(fields),
      redirect: 'manual' as const,
    })
    return [
      { path, init: form('password=any'), status: 303 },
      { path, init: form('other=any'), status: 400 },
      { path: '/s/guessed', init: form('password=any'), status: 404 },
    ]
  },
  'GET /s/{token}': async (api) => {
    const path = new URL((await api.share('shared.txt')).url).pathname
    return [
      { path, status: 200 },
      { path, init: { headers: { Range: 'bytes=0-1' } }, status: 206 },
      { path: '/s/guessed', status: 404 },
    ]
  },

  'POST /requests': ({ ann }) => [
    { path: '/requests', init: json({ folder: 'in/', expiresIn: 60 }, ann), status: 201 },
    { path: '/requests', init: json({ folder: 'in', expiresIn: 60 }, ann), status: 400 },
    { path: '/requests', init: json({ folder: 'in/', expiresIn: 60 }), status: 401 },
  ],
  'GET /requests': ({ ann }) => [
    { path: '/requests', init: { headers: ann }, status: 200 },
    { path: '/requests', status: 401 },
  ],
  'DELETE /requests/{id}': async (api) => {
    const { id } = await api.request()
    return [
      { path: `/requests/${id}`, init: { method: 'DELETE', headers: api.ann }, status: 204 },
      { path: '/requests/other', init: { method: 'DELETE', headers: api.ann }, status: 404 },
    ]
  },
  'GET /r/{token}': async (api) => [
    { path: (await api.request()).path, status: 200 },
    { path: '/r/guessed', status: 404 },
  ],
  'POST /r/{token}': async (api) => {
    const { path } = await api.request()
    const form = new FormData()
    form.append('file', new Blob(['some text']), 'sent.txt')
    return [
      { path, init: { method: 'POST', body: form }, status: 201 },
      {
        path,
        init: { method: 'POST', body: new URLSearchParams({ password: 'any' }), redirect: 'manual' },
        status: 303,
      },
      { path, init: { method: 'POST', body: 'some text' }, status: 415 },
    ]
  },
  'PUT /r/{token}/{name}': async (api) => {
    const { path } = await api.request()
    return [
      { path: `${path}/sent.txt`, init: { method: 'PUT', body: 'some text' }, status: 201 },
      { path: '/r/guessed/sent.txt', init: { method: 'PUT', body: 'some text' }, status: 404 },
    ]
  },
  'POST /r/{token}/tus': async (api) => {
    const path = `${(await api.request()).path}/tus`
    const name = { 'Upload-Metadata': `filename ${btoa('tus')}`, 'Upload-Length': '10' }
    return [
      { path, init: { method: 'POST', headers: tus({}, name) }, status: 201 },
      { path, init: { method: 'POST', headers: tus({}) }, status: 400 },
      { path, init: { method: 'POST', headers: name }, status: 412 },
    ]
  },
  'HEAD /r/{token}/tus/{id}': async (api) => [
    { path: await api.sent(), init: { method: 'HEAD', headers: tus({}) }, status: 200 },
    { path: `${(await api.request()).path}/tus/other`, init: { method: 'HEAD', headers: tus({}) }, status: 404 },
  ],
  'PATCH /r/{token}/tus/{id}': async (api) => {
    const path = await api.sent()
    const of = (offset: number) => {
      const headers = tus({}, { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) })
      return { method: 'PATCH', headers, body: '0123456789' }
    }
    return [
      { path, init: of(5), status: 409 },
      { path, init: of(0), status: 204 },
    ]
  },
  'DELETE /r/{token}/tus/{id}': async (api) => {
    const path = await api.sent()
    return [
      { path, init: { method: 'DELETE', headers: tus({}) }, status: 204 },
      { path, init: { method: 'DELETE', headers: tus({}) }, status: 410 },
    ]
  },

  'OPTIONS /tus': () => [{ path: '/tus', init: { method: 'OPTIONS' }, status: 204 }],
  'POST /tus': async (api) => {
    const name = { 'Upload-Metadata': `filename ${btoa('tus')}`, 'Upload-Length': '10' }
    const path = '/tus'
    await api.stopUploads()
    return [
      { path, init: { headers: tus(api.ann, name) }, status: 201 },
      { path, init: { headers: tus(api.ann, { ...name, 'Upload-Length': '-1' }) }, status: 400 },
      { path, init: { headers: { ...api.ann, ...name } }, status: 412 },
      { path, init: { headers: tus({}, name) }, status: 401 },
    ]
  },
  'HEAD /tus/{id}': async (api) => {
    const path = await api.beginTus()
    return [
      { path, init: { method: 'HEAD', headers: tus(api.ann) }, status: 200 },
      { path: '/tus/0', init: { method: 'HEAD', headers: tus(api.ann) }, status: 404 },
    ]
  },
  'PATCH /tus/{id}': async (api) => {
    const path = await api.beginTus()
    const patch = (body: string, headers: Record<string, string> = {}) => {
      const type = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '0' }
      return { method: 'PATCH', headers: tus(api.ann, { ...type, ...headers }), body }
    }
    return [
      { path, init: patch('x', { 'Upload-Offset': '1' }), status: 409 },
      { path, init: patch('x', { 'Upload-Offset': 'x' }), status: 400 },
      { path, init: patch('x', { 'Content-Type': 'text/plain' }), status: 415 },
      { path, init: patch('x', { 'Upload-Checksum': `sha1 ${btoa('x'.repeat(20))}` }), status: 460 },
      { path, init: patch('0123456789x'), status: 413 },
      { path, init: patch('0123456789'), status: 204 },
      { path: '/tus/0', init: patch('x'), status: 404 },
    ]
  },
  'DELETE /tus/{id}': async (api) => {
    const path = await api.beginTus()
    return [
      { path, init: { headers: tus(api.ann) }, status: 204 },
      { path, init: { headers: tus(api.ann) }, status: 410 },
      { path: '/tus/0', init: { headers: tus(api.ann) }, status: 404 },
    ]
  },

  'POST /import': async (api) => {
    await api.put('import.csv', 'a,b\n1,2\n')
    await api.put('bad.csv', 'a,b\n1\n')
    const wait = { ...api.ann, Prefer: 'wait=60' }
    return [
      { path: '/import', init: json({ filename: 'import.csv' }, wait), status: 200 },
      { path: '/import', init: json({ filename: 'bad.csv' }, wait), status: 422 },
      { path: '/import', init: json({ filename: 'import.csv' }, api.ann), status: 202 },
      { path: '/import', init: json({ filename: 'missing.csv' }, api.ann), status: 404 },
      { path: '/import', init: json({ filename: 'import.csv', table: 'A' }, api.ann), status: 400 },
    ]
  },
  'POST /import/check': async (api) => {
    await api.put('checked.csv', 'a,b\n1\n')
    return [
      {
        path: '/import/check',
        init: json({ filename: 'checked.csv' }, { ...api.ann, Prefer: 'wait=60' }),
        status: 200,
      },
      { path: '/import/check', init: json({ filename: 'missing.csv' }, api.ann), status: 404 },
      { path: '/import/check', init: json({ filename: 'checked.csv', decimal: 'x' }, api.ann), status: 400 },
    ]
  },
  'POST /import/stop': async (api) => {
    await api.makeTable('before_stop')
    return [{ path: '/import/stop', init: { method: 'POST', headers: api.ann }, status: 404 }]
  },
  'GET /tables': ({ ann }) => [
    { path: '/tables', init: { headers: ann }, status: 200 },
    { path: '/tables', status: 401 },
  ],
  'GET /tables/{table}': async (api) => {
    await api.makeTable('shown')
    return [
      { path: '/tables/shown', init: { headers: api.ann }, status: 200 },
      { path: '/tables/missing', init: { headers: api.ann }, status: 404 },
    ]
  },
  'GET /tables/{table}/rows': async (api) => {
    await api.makeTable('rows')
    return [
      { path: '/tables/rows/rows?limit=1', init: { headers: api.ann }, status: 200 },
      { path: '/tables/rows/rows', init: { headers: { ...api.ann, Accept: 'text/csv' } }, status: 200 },
      { path: '/tables/rows/rows', init: { headers: { ...api.ann, Accept: 'application/x-ndjson' } }, status: 200 },
      { path: '/tables/rows/rows?format=csv', init: { headers: api.ann }, status: 200 },
      { path: '/tables/rows/rows?format=xlsx', init: { headers: api.ann }, status: 400 },
      { path: '/tables/rows/rows?limit=-1', init: { headers: api.ann }, status: 400 },
      { path: '/tables/missing/rows', init: { headers: api.ann }, status: 404 },
    ]
  },
  'GET /tables/{table}/facets': async (api) => {
    await api.makeTable('faceted')
    return [
      { path: '/tables/faceted/facets?limit=1', init: { headers: api.ann }, status: 200 },
      { path: '/tables/faceted/facets?columns=missing', init: { headers: api.ann }, status: 400 },
      { path: '/tables/missing/facets', init: { headers: api.ann }, status: 404 },
    ]
  },
  'GET /tables/{table}/summary': async (api) => {
    await api.makeTable('summed')
    return [
      { path: '/tables/summed/summary', init: { headers: api.ann }, status: 200 },
      { path: '/tables/missing/summary', init: { headers: api.ann }, status: 404 },
    ]
  },
  'PATCH /tables/{table}': async (api) => {
    await api.makeTable('misnamed')
    const headers = { ...api.ann, 'Content-Type': 'application/json' }
    const init = { method: 'PATCH', headers, body: JSON.stringify({ name: 'renamed' }) }
    return [
      { path: '/tables/misnamed', init, status: 200 },
      { path: '/tables/misnamed', init, status: 404 },
    ]
  },
  'DELETE /tables/{table}': async (api) => {
    await api.makeTable('removed')
    return [
      { path: '/tables/removed', init: { method: 'DELETE', headers: api.ann }, status: 204 },
      { path: '/tables/removed', init: { method: 'DELETE', headers: api.ann }, status: 404 },
    ]
  },
  'DELETE /tables/{table}/imports/{id}': async (api) => {
    const { id } = await api.makeTable('lessened')
    return [
      { path: `/tables/lessened/imports/${id}`, init: { method: 'DELETE', headers: api.ann }, status: 204 },
      { path: `/tables/lessened/imports/${id}`, init: { method: 'DELETE', headers: api.ann }, status: 404 },
    ]
  },
  'POST /query': async (api) => {
    await api.makeTable('asked')
    return [
      { path: '/query', init: json({ sql: 'from asked' }, api.ann), status: 200 },
      { path: '/query', init: json({ sql: 'drop table asked' }, api.ann), status: 422 },
      { path: '/query', init: json({}, api.ann), status: 400 },
    ]
  },

  'GET /jobs': ({ ann }) => [
    { path: '/jobs?state=done,failed&kind=upload&limit=5', init: { headers: ann }, status: 200 },
    { path: '/jobs?state=lost', init: { headers: ann }, status: 400 },
    { path: '/jobs?account=all', init: { headers: ann }, status: 403 },
  ],
  'GET /server': ({ admin, ann }) => [
    { path: '/server', init: { headers: admin }, status: 200 },
    { path: '/server', init: { headers: ann }, status: 403 },
  ],
  'POST /server/check': ({ admin, ann }) => [
    { path: '/server/check', init: { method: 'POST', headers: admin }, status: 200 },
    { path: '/server/check', init: { method: 'POST', headers: ann }, status: 403 },
  ],
  'GET /server/log': ({ admin, ann }) => [
    { path: '/server/log', init: { headers: admin }, status: 200 },
    { path: '/server/log?limit=-1', init: { headers: admin }, status: 400 },
    { path: '/server/log', init: { headers: ann }, status: 403 },
  ],
  'GET /server/log/events': ({ admin, ann }) => [
    // The answer to a GET has no end.
    { path: '/server/log/events', init: { method: 'HEAD', headers: admin }, status: 200 },
    { path: '/server/log/events?limit=x', init: { headers: admin }, status: 400 },
    { path: '/server/log/events', init: { headers: ann }, status: 403 },
  ],
  'GET /jobs/events': ({ ann }) => [
    // The answer to a GET has no end.
    { path: '/jobs/events', init: { method: 'HEAD', headers: ann }, status: 200 },
    { path: '/jobs/events?account=all', init: { headers: ann }, status: 403 },
    { path: '/jobs/events?account=bob', init: { headers: ann }, status: 400 },
    { path: '/jobs/events', status: 401 },
  ],
  'GET /jobs/{id}': async (api) => {
    const id = await api.startUpload('shown')
    return [
      { path: `/jobs/${id}`, init: { headers: api.ann }, status: 200 },
      { path: '/jobs/0', init: { headers: api.ann }, status: 404 },
    ]
  },
  'PATCH /jobs/{id}': async (api) => {
    const id = await api.startUpload('limited')
    return [
      { path: `/jobs/${id}`, init: json({ rateLimit: 1_000_000 }, api.ann, 'PATCH'), status: 200 },
      { path: `/jobs/${id}`, init: json({ rateLimit: 0 }, api.ann, 'PATCH'), status: 400 },
    ]
  },
  'POST /jobs/{id}/pause': async (api) => {
    const id = await api.startUpload('paused')
    return [
      { path: `/jobs/${id}/pause`, init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: '/jobs/0/pause', init: { method: 'POST', headers: api.ann }, status: 404 },
    ]
  },
  'POST /jobs/{id}/resume': async (api) => {
    const id = await api.startUpload('resumed')
    return [
      { path: `/jobs/${id}/resume`, init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: '/jobs/0/resume', init: { method: 'POST', headers: api.ann }, status: 404 },
    ]
  },
  'POST /jobs/{id}/stop': async (api) => {
    const id = await api.startUpload('stopped-2')
    return [
      { path: `/jobs/${id}/stop`, init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: `/jobs/${id}/stop`, init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: '/jobs/0/stop', init: { method: 'POST', headers: api.ann }, status: 404 },
    ]
  },
  'POST /jobs': async (api) => {
    await api.stopUploads()
    const folder = { kind: 'upload', name: 'photos/' }
    return [
      { path: '/jobs', init: json(folder, api.ann), status: 201 },
      { path: '/jobs', init: json(folder, api.ann), status: 409 },
      { path: '/jobs', init: json({ ...folder, name: 'photos' }, api.ann), status: 400 },
      { path: '/jobs', init: { method: 'POST', headers: api.ann, body: 'a=b' }, status: 415 },
    ]
  },
  'GET /jobs/{id}/files': async (api) => {
    const id = await api.openFolderJob()
    const files = [{ name: 'photos/a', size: 3 }]
    await fetch(`${api.server.url}/jobs/${id}/unchanged`, json({ files }, api.ann))
    return [
      { path: `/jobs/${id}/files`, init: { headers: api.ann }, status: 200 },
      { path: `/jobs/${id}/files?limit=0`, init: { headers: api.ann }, status: 400 },
      { path: '/jobs/0/files', init: { headers: api.ann }, status: 404 },
    ]
  },
  'POST /jobs/{id}/finish': async (api) => {
    const id = await api.openFolderJob()
    return [
      { path: `/jobs/${id}/finish`, init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: `/jobs/${id}/finish`, init: { method: 'POST', headers: api.ann }, status: 200 },
      { path: '/jobs/0/finish', init: { method: 'POST', headers: api.ann }, status: 404 },
    ]
  },
  'POST /jobs/{id}/unchanged': async (api) => {
    const id = await api.openFolderJob()
    const files = [{ name: 'photos/a', size: 3 }]
    return [
      { path: `/jobs/${id}/unchanged`, init: json({ files }, api.ann), status: 200 },
      { path: `/jobs/${id}/unchanged`, init: json({ count: 2, bytes: 5 }, api.ann), status: 200 },
      { path: `/jobs/${id}/unchanged`, init: json({ count: -1, bytes: 5 }, api.ann), status: 400 },
      { path: '/jobs/0/unchanged', init: json({ files }, api.ann), status: 404 },
    ]
  },
  'POST /jobs/{id}/failed': async (api) => {
    const id = await api.openFolderJob()
    const files = [{ name: 'photos/a', code: 'not-accessible', message: 'The file could not be read.' }]
    return [
      { path: `/jobs/${id}/failed`, init: json({ files }, api.ann), status: 200 },
      { path: `/jobs/${id}/failed`, init: json({ files: [{}] }, api.ann), status: 400 },
      { path: '/jobs/0/failed', init: json({ files }, api.ann), status: 404 },
    ]
  },
}

interface Api {
  server: TestServer
  /** Headers of a user and of an admin. */
  ann: Record<string, string>
  admin: Record<string, string>
  put(name: string, content: string): Promise<void>
  /** Imports two rows into a table of that name. */
  makeTable(name: string): Promise<{ id: number }>
  /** Uploads a file of that name and makes a link to it. */
  share(name: string): Promise<{ id: string; url: string }>
  /** Makes a link for uploads. */
  request(): Promise<{ id: string; path: string }>
  /** Begins a resumable upload of ten bytes by such a link, and returns its path. */
  sent(): Promise<string>
  stopUploads(): Promise<unknown>
  /** Begins a resumable upload of ten bytes and returns its path. */
  beginTus(): Promise<string>
  /** Starts an upload that runs until the test ends, and returns its job's id. An earlier one is stopped. */
  startUpload(name: string): Promise<string>
  /** Opens a job of many files and returns its id. One that was open before is stopped. */
  openFolderJob(): Promise<string>
}

const document: DeclaredApi = await (async () => {
  const server = await startTestServer()
  const declaredApi = (await (await fetch(`${server.url}/openapi.json`)).json()) as DeclaredApi
  await server.close()
  return declaredApi
})()

const declared = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
)

describe('every declared route', () => {
  const shapes = openShapes(document)
  let api: Api
  beforeAll(async () => {
    api = await openApi()
  })
  afterAll(() => api.server.close())

  test('is tested below, and no other is', () => {
    expect(Object.keys(scenarios).sort()).toEqual([...declared].sort())
  })

  test.each(declared)('%s responds as its schema declares', async (route) => {
    const [method] = route.split(' ')
    for (const { path, init, status } of await scenarios[route]!(api)) {
      const answer = await fetch(api.server.url + path, { method, ...init } as RequestInit)
      const copy = answer.clone()
      expect(answer.status, `${route} ${path}: ${status === answer.status ? '' : await copy.text()}`).toBe(status)
      expect(await shapes.faultOf(route, answer)).toBeUndefined()
    }
  })
})

describe('a response given before routing', () => {
  const shapes = openShapes(document)
  let server: TestServer
  let ann: Record<string, string>
  let cookie: string
  beforeAll(async () => {
    server = await startTestServer({ shutdownGraceMs: 0 })
    ann = bearer(await server.logIn('ann'))
    const page = { 'Filejobs-Csrf': '1', Origin: server.url }
    const login = await fetch(`${server.url}/auth/cookie`, json({ username: 'ann', password: 'correct horse' }, page))
    cookie = String(login.headers.get('set-cookie')).replace(/;.*/, '')
  })
  afterAll(() => server.close())

  test.each(declared)('matches the declared schema of %s', async (route) => {
    const [method = '', path = ''] = route.split(' ')
    const url = server.url + path.replace(/\{\w+\}/g, '0')
    const { requestBody, security } = document.paths[path]![method.toLowerCase()]!
    const requests: RequestInit[] = []
    if (requestBody?.content['application/json']) {
      requests.push(json('x'.repeat(80_000), ann), json([], ann))
      requests.push({ headers: { ...ann, 'Content-Type': 'text/plain' }, body: '{}' })
    }
    if (!security && path !== '/jobs/events') requests.push({}, { headers: { Cookie: cookie } })
    for (const init of requests) {
      const answer = await fetch(url, { ...init, method })
      expect(answer.status, route).not.toBe(500)
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(await shapes.faultOf(route, answer)).toBeUndefined()
    }
  })
})

async function openApi(): Promise<Api> {
  const server = await startTestServer({ shutdownGraceMs: 0 })
  const ann = bearer(await server.logIn('ann'))
  const stopUploads = () => fetch(`${server.url}/upload/stop`, { method: 'POST', headers: ann })
  const put: Api['put'] = async (name, content) => {
    await stopUploads()
    const answer = await fetch(`${server.url}/files/${name}`, { method: 'PUT', headers: ann, body: content })
    if (!answer.ok) throw new Error(`put ${name}: ${answer.status} ${await answer.text()}`)
  }
  const request = async () => {
    const answer = await fetch(`${server.url}/requests`, json({ folder: 'in/', expiresIn: 60 }, ann))
    const { id, url } = (await answer.json()) as { id: string; url: string }
    return { id, path: new URL(url).pathname }
  }
  return {
    server,
    ann,
    request,
    async sent() {
      const headers = tus({}, { 'Upload-Metadata': `filename ${btoa('tus')}`, 'Upload-Length': '10' })
      const answer = await fetch(`${server.url}${(await request()).path}/tus`, { method: 'POST', headers })
      return answer.headers.get('location')!
    },
    admin: bearer(await server.logIn('admin', 'admin')),
    put,
    stopUploads,
    async beginTus() {
      await stopUploads()
      const headers = tus(ann, { 'Upload-Metadata': `filename ${btoa('tus')}`, 'Upload-Length': '10' })
      const answer = await fetch(`${server.url}/tus`, { method: 'POST', headers })
      return answer.headers.get('location')!
    },
    async makeTable(name) {
      await put(`${name}.csv`, 'a,d\n1,2014-10-08\n2,2014-10-09\n')
      const headers = { ...ann, Prefer: 'wait=60' }
      const answer = await fetch(`${server.url}/import`, json({ filename: `${name}.csv` }, headers))
      return ((await answer.json()) as { import: { id: number } }).import
    },
    async share(name) {
      await put(name, 'some text')
      const answer = await fetch(`${server.url}/shares`, json({ filename: name, expiresIn: 60 }, ann))
      return (await answer.json()) as { id: string; url: string }
    },
    async startUpload(name) {
      await stopUploads()
      const id = crypto.randomUUID()
      const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10_000)) })
      const headers = { ...ann, 'Filejobs-Job': id }
      const init = { method: 'PUT', headers, body, duplex: 'half' } as RequestInit
      fetch(`${server.url}/files/${name}`, init).catch(() => {})
      await expect.poll(async () => (await fetch(`${server.url}/jobs/${id}`, { headers: ann })).status).toBe(200)
      return id
    },
    async openFolderJob() {
      await stopUploads()
      const answer = await fetch(`${server.url}/jobs`, json({ kind: 'upload', name: 'photos/' }, ann))
      return ((await answer.json()) as { id: string }).id
    },
  }
}

/** Creates an account, and returns the path of its invitation. */
async function invite({ server, admin }: Api, username: string): Promise<string> {
  const answer = await fetch(`${server.url}/accounts`, json({ username, invitation: {} }, admin))
  const { invitation } = (await answer.json()) as { invitation: { url: string } }
  return new URL(invitation.url).pathname
}

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` }
}

function json(value: unknown, headers: Record<string, string> = {}, method = 'POST'): RequestInit {
  return { method, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

/** The headers of a request that speaks tus. */
function tus(account: Record<string, string>, headers: Record<string, string> = {}): Record<string, string> {
  return { ...account, 'Tus-Resumable': '1.0.0', ...headers }
}
