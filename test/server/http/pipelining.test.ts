import { describe, expect, it } from 'vitest'
import { type Caller, holdUpload } from '../../helpers/calls.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head, type RawConnection, statusesIn } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'

const plain = shareServer({ shutdownGraceMs: 0 })
const servers = [['http', plain]] as ['http' | 'https', typeof plain][]
if (hasProgram('openssl')) servers.push(['https', shareServer({ shutdownGraceMs: 0, tls: makeCertificate() })])

const small = { 'Content-Length': 5, 'Content-Type': 'text/plain' }
const KiB = 1024

/** Requests that stay unanswered, each sent on a connection of its own until its job is in that state. */
const held: [what: string, open: (caller: Caller) => Promise<RawConnection>][] = [
  [
    'an event stream',
    async (caller) => {
      const connection = await connectTo(caller.url)
      connection.send(head('GET /jobs/events', caller.token))
      await connection.says(/^HTTP\/1.1 200 /)
      return connection
    },
  ],
  [
    'a queued upload',
    async (caller) => {
      await holdUpload(caller, 'first')
      const connection = await connectTo(caller.url)
      connection.send(`${head('PUT /files/second', caller.token, { ...small, Prefer: 'wait=600' })}hello`)
      await caller.findJob('state=waiting')
      return connection
    },
  ],
  [
    'a paused upload',
    async (caller) => {
      const connection = await connectTo(caller.url)
      const headers = { 'Content-Length': 6, 'Filejobs-Rate-Limit': 1 }
      connection.send(`${head('PUT /files/a', caller.token, headers)}hello`)
      const { id } = await caller.findJob('kind=upload&state=running')
      await caller.post(`/jobs/${id}/pause`)
      // The whole body is there, and the parser is ready for the next request.
      connection.send('!')
      return connection
    },
  ],
  [
    'a paused export',
    async (caller) => {
      await caller.put('big', Buffer.alloc(100 * KiB))
      const connection = await connectTo(caller.url)
      connection.send(head('GET /files/big', caller.token, { 'Filejobs-Rate-Limit': 1 }))
      const { id } = await caller.findJob('kind=export&state=running')
      await caller.post(`/jobs/${id}/pause`)
      return connection
    },
  ],
]

describe.each(servers)('pipelined behind a pending request, by %s,', (_scheme, shared) => {
  let caller: Caller

  describe.each(held)('such as %s,', (_what, open) => {
    it('16 requests may wait, and one more closes the connection', async () => {
      caller = await shared.newCaller()
      const connection = await open(caller)
      connection.send(head('GET /files', caller.token).repeat(16))
      // The server has read them once it has answered a request that was sent later.
      await caller.call('/healthz')
      expect(connection.socket.destroyed || connection.socket.readableEnded).toBe(false)
      connection.send(head('GET /files', caller.token))
      await connection.ended()
      await eventually('its job has ended', async () => {
        const { jobs } = (await caller.call('/jobs?state=waiting,paused')).json
        return jobs.length === 0
      })
    })

    it('64 KiB of bodies close the connection', async () => {
      caller = await shared.newCaller()
      const connection = await open(caller)
      connection.send(head('PUT /files/x', caller.token, { 'Content-Length': 10 ** 6 }))
      connection.send(Buffer.alloc(60 * KiB))
      await caller.call('/healthz')
      expect(connection.socket.destroyed || connection.socket.readableEnded).toBe(false)
      connection.send(Buffer.alloc(5 * KiB))
      await connection.ended()
    })

    it('a smaller body does not hide that the client has disconnected', async () => {
      caller = await shared.newCaller()
      const connection = await open(caller)
      connection.send(head('PUT /files/x', caller.token, { 'Content-Length': 50 * KiB }))
      connection.send(Buffer.alloc(50 * KiB))
      connection.socket.end()
      await connection.ended()
      await eventually('its job has ended', async () => {
        const { jobs } = (await caller.call('/jobs?state=waiting,paused')).json
        return jobs.length === 0
      })
    })
  })

  it('small chunks are counted with their overhead', async () => {
    caller = await shared.newCaller()
    const connection = await connectTo(caller.url)
    connection.send(head('GET /jobs/events', caller.token))
    connection.send(head('PUT /files/x', caller.token, { 'Transfer-Encoding': 'chunked' }))
    connection.send('1\r\nx\r\n'.repeat(2000))
    await connection.ended()
  })
})

describe('pipelined requests', () => {
  it('are answered in order, with their bodies', async () => {
    const ann = await plain.newCaller()
    const connection = await connectTo(ann.url)
    const puts = ['a', 'b', 'c'].map((name) => `${head(`PUT /files/${name}`, ann.token, small)}body${name}`)
    connection.send(puts.join('') + head('GET /files/c', ann.token))
    await connection.says(/bodyc$/)
    expect(statusesIn(connection.text)).toEqual([201, 201, 201, 200])
  })

  it('of a flood are not even parsed once the connection is closed', async () => {
    const ann = await plain.newCaller()
    const before = plain.server.logged.length
    const connections = await Promise.all(Array.from({ length: 20 }, () => connectTo(ann.url)))
    for (const connection of connections) {
      connection.send(head('GET /jobs/events', ann.token) + head('GET /files', ann.token).repeat(3000))
    }
    for (const connection of connections) await connection.ended()
    await eventually('the streams have ended', () => plain.server.logged.length >= before + 20)
    const paths = plain.server.logged.slice(before).map(({ details }) => details.path)
    expect(paths.filter((path) => path === '/files')).toEqual([])
  })
})

describe('no data of a connection is processed after a response that closes it:', () => {
  const refusals: [why: string, request: (token: string) => string, status: number][] = [
    ['a path outside of the folder', (token) => `${head('PUT /files/../x', token, small)}hello`, 400],
    [
      'a transfer coding',
      (token) => `${head('PUT /files/x', token, { 'Transfer-Encoding': 'gzip, chunked' })}0\r\n\r\n`,
      501,
    ],
    ['another expectation', (token) => `${head('PUT /files/x', token, { ...small, Expect: 'more' })}hello`, 417],
    ['a client that closes', (token) => head('GET /healthz', token, { Connection: 'close' }), 200],
    ['HTTP/1.0', () => 'GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n', 200],
  ]

  it.each(refusals)('%s', async (_why, request, status) => {
    const ann = await plain.newCaller()
    await ann.put('a', 'kept')
    await ann.put('b', 'x')
    for (const behind of ['DELETE /files/a', 'GET /files/b']) {
      const connection = await connectTo(ann.url)
      connection.send(request(ann.token) + head(behind, ann.token))
      const { text } = await connection.ended()
      expect(statusesIn(text)).toEqual([status])
      expect(text).toMatch(/^connection: close\r$/im)
    }
    expect((await ann.call('/files/a')).body.toString()).toBe('kept')
    expect((await ann.call('/jobs?kind=export&state=running')).json.jobs).toEqual([])
  })
})
