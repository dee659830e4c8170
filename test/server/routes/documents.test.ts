import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { problems } from '../../../dist/protocol/problems.js'
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

  test('is OpenAPI 3.1, as a public validator says', async () => {
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate(JSON.parse(text))).toEqual({ valid: true })
  })

  test('names every problem code, with its status', () => {
    for (const [code, { status }] of Object.entries(problems)) expect(text).toContain(`\`${code}\` | ${status}`)
  })

  test('refers to nothing that is not in it', () => {
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name)
    }
  })

  test('gives examples that fit their own shapes', () => {
    const shapes = openShapes(document)
    const names = Object.keys(document.components.schemas)
    expect(names.map((name) => shapes.faultOfExample(name)).filter((fault) => fault !== undefined)).toEqual([])
    expect(names.filter((name) => document.components.schemas[name]!.example === undefined)).toEqual([])
  })

  test('says which refusals a route can give, with an example of each', () => {
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

  test('shows every route on a page without script and without another host', async () => {
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as DeclaredApi
    const answer = await fetch(`${server.url}/docs`)
    const html = await answer.text()
    for (const path of Object.keys(paths)) expect(html).toContain(`<code>${path}</code>`)
    expect(html).not.toMatch(/<script|(src|href)="?(https?:)?\/\//)
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })
})
