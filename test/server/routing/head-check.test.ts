import { describe, expect, it } from 'vitest'
import { connectTo, head, statusesIn } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0 })

async function ask(text: string): Promise<string> {
  const connection = await connectTo(shared.server.url)
  connection.send(text)
  return (await connection.ended()).text
}

const refusals: [what: string, text: string, status: number, code: string][] = [
  [
    'an unknown expectation',
    head('PUT /files/a', null, { Expect: '200-ok', 'Content-Length': 0 }),
    417,
    'expectation-failed',
  ],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'invalid-request'],
  ['no Host, with a whole URL', 'GET http://127.0.0.1/healthz HTTP/1.1\r\n\r\n', 400, 'invalid-request'],
  ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost\r\n\r\n', 400, 'invalid-request'],
  ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405, 'method-not-allowed'],
  ...['gzip', 'gzip, chunked', 'chunked, gzip', 'identity', 'deflate,chunked'].map(
    (coding): (typeof refusals)[number] => [
      `Transfer-Encoding: ${coding}`,
      `${head('PUT /files/a', null, { 'Transfer-Encoding': coding })}1\r\nx\r\n0\r\n\r\n`,
      501,
      'not-implemented',
    ],
  ),
]

it.each(refusals)('%s is rejected with a problem', async (_what, text, status, code) => {
  const answer = await ask(text)
  expect(statusesIn(answer)).toEqual([status])
  expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im)
  expect(answer).toMatch(/^connection: close\r$/im)
  expect(JSON.parse(/\{.*\}/s.exec(answer)![0])).toMatchObject({ code, status, message: expect.stringMatching(/\w/) })
})

describe('a transfer coding', () => {
  it.each(['chunked', 'Chunked'])('%s is decoded', async (coding) => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    connection.send(`${head('PUT /files/a', ann.token, { 'Transfer-Encoding': coding })}1\r\nx\r\n0\r\n\r\n`)
    await connection.says(/^HTTP\/1.1 201 /)
  })

  it('that is unknown is rejected also behind another request, which is answered', async () => {
    const ann = await shared.newCaller()
    const coded = `${head('PUT /files/b', ann.token, { 'Transfer-Encoding': 'gzip' })}xxx`
    const text = await ask(`${head('PUT /files/a', ann.token, { 'Content-Length': 1 })}x${coded}`)
    expect(statusesIn(text)).toEqual([201, 501])
  })
})

describe('HTTP/1.0 without Host', () => {
  it.each(['/readyz', '/healthz', '/'])('is answered with %s', async (path) => {
    expect(statusesIn(await ask(`GET ${path} HTTP/1.0\r\n\r\n`))).toEqual([200])
  })

  it('is rejected if the target names another host', async () => {
    expect(statusesIn(await ask('GET /readyz HTTP/1.0\r\nHost: evil.example\r\n\r\n'))).toEqual([403])
  })
})

describe('an absolute-form target', () => {
  it.each([
    ['http://evil.example/healthz', 403],
    ['HTTP://EVIL.example/healthz', 400],
    ['https://evil.example:8080/healthz', 403],
    ['http://user@evil.example/healthz', 403],
    ['http://127.0.0.1@evil.example/healthz', 403],
    ['http://evil.example?/healthz', 403],
    ['http://127.0.0.1/healthz', 200],
    ['http://localhost:1/healthz', 200],
  ])('%s is answered %i', async (target, status) => {
    expect(statusesIn(await ask(head(`GET ${target}`, null, { Connection: 'close' })))).toEqual([status])
  })
})

it('a request with two thousand headers keeps all of them', async () => {
  const ann = await shared.newCaller()
  const connection = await connectTo(shared.server.url)
  const many = Array.from({ length: 2000 }, (_, at) => `x: ${at % 10}\r\n`).join('')
  const conditions = { 'If-Match': '"another version"', 'Content-Length': 1, Connection: 'close' }
  connection.send(`${head('PUT /files/a', ann.token, conditions).replace('\r\n', `\r\n${many}`)}x`)
  expect(statusesIn((await connection.ended()).text)).toEqual([412])
  expect(await ann.names()).toEqual([])
})
