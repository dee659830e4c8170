import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problems } from '../../../dist/protocol/problems.js'
import type { RouteEntry } from '../../../dist/server/routing/route-entry.js'
import { routeTable } from '../../../dist/server/routing/route-table.js'
import { type DeclaredApi, openShapes } from '../../helpers/api-shapes.js'
import { startTestServer, type TestServer } from '../../helpers/server.js'

describe('the API document', () => {
  let server: TestServer
  let text: string
  let document: DeclaredApi & { openapi: string }

  beforeAll(async () => {
    server = await startTestServer()
    text = await (await fetch(`${server.url}/openapi.json`)).text()
    document = JSON.parse(text)
  })
  afterAll(() => server.close())
  const operations = () => Object.values(document.paths).flatMap((methods) => Object.values(methods))

  test('is valid OpenAPI 3.1 for a public validator', async () => {
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate(JSON.parse(text))).toEqual({ valid: true })
  })

  test('contains every problem code with its status', () => {
    for (const [code, { status }] of Object.entries(problems)) expect(text).toContain(`\`${code}\` | ${status}`)
  })

  test('has a unique camelCase name for each operation', () => {
    const names = operations().map(({ operationId = '' }) => operationId)
    expect(names.filter((name) => !/^[a-z]+([A-Z][a-z]+)*$/.test(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(expect.arrayContaining(['uploadFile', 'stopJob', 'listFiles', 'createResumableUpload']))
  })

  test('requires no token where the table of routes requires none', () => {
    for (const [key, entry] of Object.entries(routeTable as Record<string, RouteEntry>)) {
      const [method = '', path = ''] = key.split(' ')
      const operation = document.paths[path]?.[method.toLowerCase()]
      expect(operation?.operationId, key).toBe(entry.operationId)
      if (operation) expect([key, operation.security]).toEqual([key, entry.access === 'open' ? [] : undefined])
    }
  })

  test('uses integers for numbers, and binary strings for byte bodies', () => {
    const typeOf = (path: string, method: string, name: string) =>
      document.paths[path]![method]!.parameters?.find((each) => each.name === name)?.schema.type
    const integers = [
      ...['limit', 'cursor'].map((name) => typeOf('/jobs', 'get', name)),
      ...['limit', 'offset'].map((name) => typeOf('/tables/{table}/rows', 'get', name)),
      typeOf('/files', 'get', 'limit'),
      typeOf('/published/{ops}', 'get', 'limit'),
      typeOf('/files/{name}', 'put', 'Filejobs-Rate-Limit'),
      ...['Upload-Length', 'Upload-Defer-Length'].map((name) => typeOf('/tus', 'post', name)),
      typeOf('/tus/{id}', 'patch', 'Upload-Offset'),
      typeOf('/tables/{table}/imports/{id}', 'delete', 'id'),
    ]
    expect(integers).toEqual(integers.map(() => 'integer'))
    const bytes = operations().flatMap(({ requestBody, responses }) =>
      [requestBody, ...Object.values(responses)].flatMap((part) =>
        Object.entries(part?.content ?? {}).filter(([type]) => /octet-stream/.test(type)),
      ),
    )
    expect(bytes.length).toBeGreaterThan(8)
    for (const [, content] of bytes) expect(content).toMatchObject({ schema: { type: 'string', format: 'binary' } })
  })

  test('describes every parameter and header, and all headers that CORS allows or exposes', async () => {
    const parameters = operations().flatMap(({ parameters = [] }) => parameters)
    expect(parameters.filter(({ description }) => !description).map(({ name }) => name)).toEqual([])
    const headers = operations().flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ headers = {} }) => Object.entries(headers)),
    )
    expect(headers.filter(([, { description }]) => !description).map(([name]) => name)).toEqual([])
    const sent = new Set(parameters.filter((each) => each.in === 'header').map(({ name }) => name))
    const received = new Set(headers.map(([name]) => name))
    const ofBrowsers = ['Authorization', 'auth_token', 'Content-Type', 'Accept', 'X-Request-ID', 'X-Requested-With']
    const pages = await startTestServer({ corsOrigin: '*' })
    const Origin = 'https://app.example'
    const preflight = { method: 'OPTIONS', headers: { Origin, 'Access-Control-Request-Method': 'PUT' } }
    const allowed = (await fetch(`${pages.url}/files`, preflight)).headers.get('access-control-allow-headers')
    const answer = await fetch(`${pages.url}/files`, { headers: { Origin } })
    await pages.close()
    const exposed = answer.headers.get('access-control-expose-headers')
    expect(allowed!.split(', ').filter((name) => !sent.has(name) && !ofBrowsers.includes(name))).toEqual([])
    expect(exposed!.split(', ').filter((name) => !received.has(name))).toEqual([])
  })

  test('has no unresolved reference', () => {
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name)
    }
  })

  test('has examples that match their schemas', () => {
    const shapes = openShapes(document)
    const names = Object.keys(document.components.schemas)
    expect(names.map((name) => shapes.faultOfExample(name)).filter((fault) => fault !== undefined)).toEqual([])
    expect(names.filter((name) => document.components.schemas[name]!.example === undefined)).toEqual([])
  })

  test('lists the errors of each route, with an example of each', () => {
    const refusal = document.paths['/files/{name}']?.put?.responses['422']?.content?.['application/problem+json']
    expect(refusal).toMatchObject({
      examples: { 'digest-mismatch': { value: { status: 422, code: 'digest-mismatch' } } },
    })
  })
})

describe('/docs', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  test('shows every route on a page without scripts and external hosts', async () => {
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as DeclaredApi
    const answer = await fetch(`${server.url}/docs`)
    const html = await answer.text()
    for (const path of Object.keys(paths)) expect(html).toContain(`<code>${path}</code>`)
    expect(html).not.toMatch(/<script|(src|href)="?(https?:)?\/\//)
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })
})
