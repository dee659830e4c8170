import { writeFile } from 'node:fs/promises'
import { IncomingMessage, ServerResponse } from 'node:http'
import { connect, Socket } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { leftSignal } from '../../../dist/server/http/connection.js'
import { openListener } from '../../../dist/server/http/listener.js'
import { answerOf, type Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { startOutside } from '../../helpers/outside-program.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const MiB = 1024 ** 2
const shared = shareServer({ maxFileSize: 50 * MiB, quota: 20 * MiB, shutdownGraceMs: 0 })
const listening = { host: '127.0.0.1', port: 0, tls: null, descriptors: 1024, trustProxy: 0, onError: fail }
const withAndWithoutExpect: Record<string, string>[] = [{}, { Expect: '100-continue' }]
const large = { 'Content-Length': 10 * MiB }

describe('a request that can be rejected by its headers is answered before its body is read:', () => {
  let ann: Caller
  let client: Caller
  beforeAll(async () => {
    ann = await shared.newCaller()
    client = await shared.newCaller('client')
    await ann.put('a', 'x')
    await ann.put('folder/file', 'x')
  })
  const refusals: [
    status: number,
    code: string,
    why: string,
    startLine: string,
    headers: Record<string, string | number>,
    by?: 'nobody' | 'client',
  ][] = [
    [401, 'not-logged-in', 'an upload without a login', 'PUT /files/b', large, 'nobody'],
    [
      401,
      'not-logged-in',
      'a form without a login',
      'POST /upload',
      { ...large, 'Content-Type': 'multipart/form-data; boundary=b' },
      'nobody',
    ],
    [403, 'not-allowed', 'an upload by a client account', 'PUT /files/b', large, 'client'],
    [400, 'invalid-request', 'a name outside of the folder', 'PUT /files/x/%2e%2e/y', large],
    [400, 'invalid-request', 'a part of a file', 'PUT /files/b', { ...large, 'Content-Range': 'bytes 0-9/20' }],
    [404, 'not-found', 'an unknown path', 'PUT /nowhere', large],
    [409, 'name-conflict', 'the name of a folder', 'PUT /files/folder', large],
    [409, 'name-conflict', 'a name below a file', 'PUT /files/a/b', large],
    [412, 'precondition-failed', 'a precondition that fails', 'PUT /files/a', { ...large, 'If-None-Match': '*' }],
    [413, 'file-too-large', 'a file that is too large', 'PUT /files/b', { 'Content-Length': 50 * MiB + 1 }],
    [413, 'quota-exceeded', 'a file beyond the quota', 'PUT /files/b', { 'Content-Length': 30 * MiB }],
    [
      413,
      'quota-exceeded',
      'a form beyond the quota',
      'POST /upload',
      { 'Content-Length': 30 * MiB, 'Content-Type': 'multipart/form-data; boundary=b' },
    ],
    [
      413,
      'body-too-large',
      'JSON of more than 64 KiB',
      'POST /import',
      { 'Content-Length': 70_000, 'Content-Type': 'application/json' },
    ],
    [
      415,
      'unsupported-media-type',
      'a form of another media type',
      'POST /upload',
      { ...large, 'Content-Type': 'text/plain' },
    ],
    [
      415,
      'unsupported-media-type',
      'JSON of another media type',
      'POST /export',
      { 'Content-Length': 10, 'Content-Type': 'text/plain' },
    ],
  ]

  it.each(refusals)('%i %s: %s', async (status, code, _why, startLine, headers, by) => {
    const token = by === 'nobody' ? null : by === 'client' ? client.token : ann.token
    for (const expecting of withAndWithoutExpect) {
      const connection = await connectTo(ann.url)
      connection.send(head(startLine, token, { ...headers, ...expecting }))
      const [, given] = await connection.says(/"code":"([a-z-]+)"/)
      expect({ status: Number(connection.text.slice(9, 12)), given }).toEqual({ status, given: code })
      expect(connection.text).toMatch(/^HTTP\/1.1 4\d\d .*\r\nConnection: close\r\n/is)
      expect(connection.text).not.toContain('100 Continue')
      connection.socket.destroy()
    }
    expect(await ann.names()).toEqual(['a', 'folder/file'])
  })

  it('409 job-running', async () => {
    const held = await holdUpload(ann, 'c')
    for (const expecting of withAndWithoutExpect) {
      const connection = await connectTo(ann.url)
      connection.send(head('PUT /files/b', ann.token, { ...large, ...expecting }))
      await connection.says(/^HTTP\/1.1 409 .*job-running/s)
      connection.socket.destroy()
    }
    await ann.post(`/jobs/${held.id}/stop`)
  })
})

describe('100 Continue', () => {
  it('is sent after the checks, and then the body is read', async () => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    connection.send(head('PUT /files/a', ann.token, { 'Content-Length': 5, Expect: '100-continue' }))
    await connection.says(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
    expect((await ann.findJob()).file).toBe('a')
    connection.send('hello')
    await connection.says(/HTTP\/1.1 201 /)
    expect((await ann.call('/files/a')).body.toString()).toBe('hello')
  })

  it('is sent for forms and JSON too', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'content')
    const json = '{"filename":"a"}'
    const form = '--b\r\nContent-Disposition: form-data; name="f"; filename="b"\r\n\r\nx\r\n--b--\r\n'
    for (const [startLine, type, body] of [
      ['POST /export', 'application/json', json],
      ['POST /upload', 'multipart/form-data; boundary=b', form],
    ] as const) {
      const connection = await connectTo(ann.url)
      const headers = { 'Content-Type': type, 'Content-Length': body.length, Expect: '100-continue' }
      connection.send(head(startLine, ann.token, headers))
      await connection.says(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
      connection.send(body)
      await connection.says(/HTTP\/1.1 20[01] /)
    }
  })

  it('is sent when the job gets its slot', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a')
    const connection = await connectTo(ann.url)
    connection.send(head('PUT /files/b', ann.token, { 'Content-Length': 5, Expect: '100-continue', Prefer: 'wait=60' }))
    await ann.findJob('state=waiting')
    expect(connection.text).toBe('')
    held.finish()
    await connection.says(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
    connection.send('hello')
    await connection.says(/HTTP\/1.1 201 /)
  })

  it('is not sent for another expectation', async () => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    connection.send(head('PUT /files/a', ann.token, { 'Content-Length': MiB, Expect: 'a-miracle' }))
    // A client that is refused while it sends is read for half a minute, and gets the answer before its body ends.
    const sending = setInterval(() => connection.send('x'), 100)
    await connection.says(/^HTTP\/1.1 417 /).finally(() => clearInterval(sending))
  })
})

describe('an error response in the middle of a body', () => {
  it('reaches a client that sends at full speed, eight times of eight', async () => {
    const ann = await shared.newCaller()
    const chunk = Buffer.alloc(MiB)
    for (let time = 0; time < 8; time++) {
      const request = ann.open('/nowhere', { method: 'PUT', headers: { 'Content-Length': 10 ** 10 } })
      const answer = answerOf(request)
      const send = () => {
        while (!request.destroyed && request.write(chunk));
      }
      request.on('drain', send)
      send()
      expect((await answer).status).toBe(404)
      request.destroy()
    }
  })

  it.skipIf(!hasProgram('curl')).each([
    ['-T', '/files/a/b'],
    ['-T --http1.0', '/files/a/b'],
    ['-F', '/upload'],
  ])('reaches curl %s, which does not wait for 100 Continue', async (how, path) => {
    const ann = await shared.newCaller()
    await ann.put('a', 'x')
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'big'), Buffer.alloc(19 * MiB))
    const body = how === '-F' ? ['-F', 'f=@big;filename=a/b'] : [...how.split(' ').slice(1), '-T', 'big']
    const args = ['-sS', '-w', '\n%{http_code}', '-H', 'Expect:', '-H', `Authorization: Bearer ${ann.token}`]
    for (let time = 0; time < 4; time++) {
      const { code, stdout } = await startOutside('curl', [...args, ...body, `${ann.url}${path}`], { cwd: folder })
        .ended
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/name-conflict.*\n409$/s) })
    }
  })

  it('closes the connection of a client that goes silent after it', async () => {
    const connection = await connectTo(shared.server.url)
    connection.send(head('PUT /files/a', null, large))
    await connection.says(/^HTTP\/1.1 401 /)
    expect((await connection.ended(20_000)).error).toBeNull()
  })
})

describe('a request that is not HTTP', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['nothing but line ends', '\r\n\r\n\r\n\r\nx\r\n\r\n', 400],
    ['an unknown method', 'BREW /files/a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400],
    ['an unknown version', 'GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n', 400],
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex'), 400],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n', 400],
    ['a header without a colon', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nwhat is this\r\n\r\n', 400],
    ['a header of 20 KiB', `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a path of 20 KiB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 431],
    ['ten thousand headers', `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n${'a: b\r\n'.repeat(10_000)}\r\n`, 431],
  ])('is rejected: %s', async (_what, text, status) => {
    const connection = await connectTo(shared.server.url)
    connection.send(text)
    const ended = await connection.ended()
    expect(ended.text).toMatch(new RegExp(`^HTTP/1.1 ${status} .*Connection: close`, 's'))
    expect((await shared.admin()).token).toBeTruthy()
  })

  it.each([
    ['garbage', () => 'garbage\r\n\r\n', 400],
    ['a header of 20 KiB', () => `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a backslash in the path', (token: string) => head('GET /files/a\\b', token, { Connection: 'close' }), 400],
    ['an invalid Host', () => 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400],
    [
      'an invalid chunk, sent together with the headers',
      (token: string) => `${head('PUT /files/a', token, { 'Transfer-Encoding': 'chunked' })}no number\r\n`,
      400,
    ],
  ])('is answered with an explanation: %s', async (_what, request, status) => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    connection.send(request(ann.token))
    const { text } = await connection.ended()
    expect(text).toMatch(/^content-type: application\/problem\+json\r$/im)
    const body = JSON.parse(/\{.*\}/s.exec(text)![0])
    expect(body).toMatchObject({ code: 'invalid-request', status, detail: expect.stringMatching(/\w/) })
  })

  it('closes the connection even if the client never does', async () => {
    const { port, hostname } = new URL(shared.server.url)
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write('garbage\r\n\r\n')
    socket.resume()
    const poke = setInterval(() => socket.write('more garbage\r\n'), 200)
    await within('the server has let go', closed).finally(() => clearInterval(poke))
  })

  it('does not write into a response in progress', async () => {
    const ann = await shared.newCaller()
    await ann.put('big', Buffer.alloc(15 * MiB, 'x'))
    const connection = await connectTo(ann.url)
    connection.send(head('GET /files/big', ann.token))
    connection.socket.pause()
    await ann.findJob('kind=export')
    connection.send('garbage\r\n\r\n')
    await eventually(
      'it has ended',
      async () => (await ann.call('/jobs?kind=export&state=running')).json.jobs.length === 0,
    )
    connection.socket.resume()
    const { text } = await connection.ended()
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toMatch(/^x*$/)
  })

  it('after valid requests leaves their responses intact, in order', async () => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    const put = `${head('PUT /files/a', ann.token, { 'Content-Length': 5 })}hello`
    connection.send(put + head('GET /files/a', ann.token) + head('DELETE /files/a', ann.token))
    await connection.says(/^HTTP\/1.1 201 .*HTTP\/1.1 200 .*\r\n\r\nhelloHTTP\/1.1 204 /s)
  })
})

describe('request headers that do not arrive', () => {
  it.each([
    ['half of them', 'GET / HTTP/1.1\r\nHost: 127'],
    ['nothing', ''],
  ])('in time close the connection: %s', async (_what, text) => {
    const fetch = () => new Response('never')
    const listener = await openListener({ ...listening, fetch, headersTimeoutMs: 300 })
    const connection = await connectTo(`http://127.0.0.1:${listener.port}`)
    connection.send(text)
    const ended = await connection.ended()
    expect(ended.text).toMatch(/^HTTP\/1.1 408 /)
    await listener.close()
  })

  it('close their connection while others are served', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => connectTo(shared.server.url)))
    for (const connection of slow) connection.send('GET /healthz HTTP/1.1\r\nHo')
    const ann = await shared.newCaller()
    expect((await ann.put('a', 'x')).status).toBe(201)
    for (const connection of slow) connection.send('st: 127.0.0.1\r\n\r\n')
    for (const connection of slow) await connection.says(/^HTTP\/1.1 200 /)
  })
})

function fail(error: Error): never {
  throw error
}

describe('the signal that a client left', () => {
  it('is one for a response, however often it is asked for', () => {
    const outgoing = new ServerResponse(new IncomingMessage(new Socket()))
    const signal = leftSignal(outgoing)
    const listeners = outgoing.listenerCount('close')
    expect(leftSignal(outgoing)).toBe(signal)
    expect(outgoing.listenerCount('close')).toBe(listeners)
  })
})
