import { describe, expect, it } from 'vitest'
import { type Caller, holdUpload } from '../../helpers/calls.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head, statusesIn } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'

const MiB = 1024 ** 2
const plain = shareServer({ shutdownGraceMs: 0 })
const servers = [['http', plain]] as ['http' | 'https', typeof plain][]
if (hasProgram('openssl')) servers.push(['https', shareServer({ shutdownGraceMs: 0, tls: makeCertificate() })])

const five = { 'Content-Length': 5 }
const json = { 'Content-Type': 'application/json' }
const login = JSON.stringify({ username: 'no one', password: 'no password' })
const form = '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nform\r\n--b--\r\n'

describe.each(servers)('a client that half-closes its connection by %s', (scheme, shared) => {
  /** Sends all at once and ends, as `nc -N` and socat do; returns all that is answered. */
  async function sendAndEnd(caller: Caller, text: string): Promise<string> {
    const connection = await connectTo(caller.url)
    connection.send(text)
    connection.socket.end()
    return (await connection.ended()).text
  }

  const served: [what: string, request: (token: string) => string, status: number][] = [
    ['an upload', (token) => `${head('PUT /files/a', token, five)}hello`, 201],
    ['a large upload', (token) => `${head('PUT /files/a', token, { 'Content-Length': MiB })}${'x'.repeat(MiB)}`, 201],
    [
      'a chunked upload',
      (token) => `${head('PUT /files/a', token, { 'Transfer-Encoding': 'chunked' })}1\r\nx\r\n0\r\n\r\n`,
      201,
    ],
    [
      'a form',
      (token) =>
        head('POST /upload', token, {
          'Content-Type': 'multipart/form-data; boundary=b',
          'Content-Length': form.length,
        }) + form,
      201,
    ],
    ['a download', (token) => head('GET /files/there', token), 200],
    ['a list', (token) => head('GET /files', token), 200],
    ['a login', () => `${head('POST /auth/login', null, { ...json, 'Content-Length': login.length })}${login}`, 401],
    ['a refusal', (token) => head('GET /nowhere', token), 404],
    ['a stop', (token) => head('POST /upload/stop', token), 404],
  ]

  if (scheme === 'http') {
    it.each(served)('gets its response: %s', async (_what, request, status) => {
      const ann = await shared.newCaller()
      await ann.put('there', Buffer.alloc(3 * MiB, 'x'))
      const text = await sendAndEnd(ann, request(ann.token))
      expect(statusesIn(text)).toEqual([status])
      if (status === 201) expect(await ann.names()).toHaveLength(2)
    })

    it('gets a large file completely', async () => {
      const ann = await shared.newCaller()
      await ann.put('big', Buffer.alloc(20 * MiB, 'x'))
      const text = await sendAndEnd(ann, head('GET /files/big', ann.token))
      expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toHaveLength(20 * MiB)
      await eventually('the export is done', async () => (await ann.findJob('kind=export')).state === 'done')
    })

    it('gets the responses to all requests that it has sent', async () => {
      const ann = await shared.newCaller()
      const put = `${head('PUT /files/a', ann.token, five)}hello`
      const text = await sendAndEnd(ann, put + head('GET /files/a', ann.token) + head('DELETE /files/a', ann.token))
      expect(statusesIn(text)).toEqual([201, 200, 204])
      expect(text).toContain('\r\n\r\nhelloHTTP/1.1 204')
    })

    it.each([
      ['headers', () => 'GET /hea', []],
      ['body', (token: string) => `${head('PUT /files/b', token, five)}hel`, []],
      [
        'body, behind another request',
        (token: string) => `${head('GET /files/a', token)}${head('PUT /files/b', token, five)}hel`,
        [200],
      ],
    ])(
      'gets the responses to whole requests, and an error for one that ends in its %s',
      async (_where, rest, others) => {
        const ann = await shared.newCaller()
        const text = await sendAndEnd(ann, `${head('PUT /files/a', ann.token, five)}hello${rest(ann.token)}`)
        expect(statusesIn(text)).toEqual([201, ...others, 400])
        expect(await ann.names()).toEqual(['a'])
        expect((await ann.call('/jobs?state=waiting,running')).json.jobs).toEqual([])
      },
    )

    it('has its upload stored while it is rate-limited', async () => {
      const ann = await shared.newCaller()
      await sendAndEnd(ann, `${head('PUT /files/a', ann.token, { ...five, 'Filejobs-Rate-Limit': 10 })}hello`)
      expect((await ann.call('/files/a')).body.toString()).toBe('hello')
    })
  }

  it('counts as disconnected while its upload is queued', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'first')
    const connection = await connectTo(ann.url)
    connection.send(`${head('PUT /files/a', ann.token, { ...five, Prefer: 'wait=600' })}hello`)
    const { id } = await ann.findJob('state=waiting')
    connection.socket.end()
    await eventually('the queue is free', async () => (await ann.job(id)).state === 'failed')
    await connection.ended()
    await ann.post(`/jobs/${held.id}/stop`)
    expect(await ann.names()).toEqual([])
  })

  it('counts as disconnected once the request that it sent before is queued', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'first')
    const text = await sendAndEnd(ann, `${head('PUT /files/a', ann.token, { ...five, Prefer: 'wait=600' })}hello`)
    if (scheme === 'http') expect(statusesIn(text)).toEqual([499])
    expect((await ann.call('/jobs?state=waiting')).json.jobs).toEqual([])
    await ann.post(`/jobs/${held.id}/stop`)
  })

  it.each(['export', 'table export'])('counts as disconnected while its %s is queued', async (kind) => {
    const ann = await shared.newCaller()
    await ann.put('first', Buffer.alloc(MiB))
    await ann.put('t.csv', 'a,b\n1,2\n')
    const path = kind === 'export' ? '/files/t.csv' : '/tables/t/rows'
    if (kind !== 'export')
      expect(
        (await ann.call('/import', { method: 'POST', headers: { Prefer: 'wait=60' }, body: { filename: 't.csv' } }))
          .status,
      ).toBe(200)
    const first = await connectTo(ann.url)
    first.send(head('GET /files/first', ann.token, { 'Filejobs-Rate-Limit': 1 }))
    await first.says(/^HTTP\/1.1 200 /)
    const connection = await connectTo(ann.url)
    connection.send(head(`GET ${path}`, ann.token, { Accept: 'text/csv', Prefer: 'wait=600' }))
    const { id } = await ann.findJob('state=waiting')
    connection.socket.end()
    await eventually('the queue is free', async () => (await ann.job(id)).state === 'failed')
    first.reset()
  })

  it.each(['before', 'after'])('counts as disconnected if its upload is paused %s its end', async (when) => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    connection.send(`${head('PUT /files/a', ann.token, { 'Content-Length': 1000, 'Filejobs-Rate-Limit': 1 })}hello`)
    const { id } = await ann.findJob('state=running')
    if (when === 'before') await ann.post(`/jobs/${id}/pause`)
    connection.send('x'.repeat(995))
    connection.socket.end()
    if (when === 'after') await ann.post(`/jobs/${id}/pause`)
    await eventually('the slot is free', async () => (await ann.job(id)).state === 'failed')
    expect((await ann.job(id)).error?.code).toBe('client-left')
  })

  it.each(['before', 'after'])(
    'counts as disconnected if its export is paused %s its end, and gets no complete response',
    async (when) => {
      const ann = await shared.newCaller()
      await ann.put('big', Buffer.alloc(MiB))
      const connection = await connectTo(ann.url)
      connection.send(head('GET /files/big', ann.token, { 'Filejobs-Rate-Limit': 10 }))
      await connection.says(/^HTTP\/1.1 200 /)
      const { id } = await ann.findJob('state=running')
      if (when === 'before') await ann.post(`/jobs/${id}/pause`)
      connection.socket.end()
      if (when === 'after') await ann.post(`/jobs/${id}/pause`)
      await eventually('the slot is free', async () => (await ann.job(id)).endedAt !== null)
      const { error } = await connection.ended()
      if (scheme === 'http') expect(error).toBe('ECONNRESET')
    },
  )

  it('ends its event stream', async () => {
    const ann = await shared.newCaller()
    for (const first of ['the stream', 'the end']) {
      const connection = await connectTo(ann.url)
      connection.send(head('GET /jobs/events', ann.token))
      if (first === 'the stream') await connection.says(/^HTTP\/1.1 200 /)
      connection.socket.end()
      await connection.ended()
    }
  })

  it('aborts its query', async () => {
    const ann = await shared.newCaller()
    const body = JSON.stringify({ sql: 'SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c' })
    const connection = await connectTo(ann.url)
    connection.send(head('POST /query', ann.token, { ...json, 'Content-Length': body.length }) + body)
    const { id } = await ann.findJob('kind=query&state=running')
    connection.socket.end()
    await eventually('the slot is free', async () => (await ann.job(id)).state === 'failed')
  })
})
