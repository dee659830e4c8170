import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { holdUpload } from '../../helpers/calls.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { hasProgram } from '../../helpers/system-programs.js'

const MiB = 1024 ** 2
const options = { jobsPerAccount: 4, shutdownGraceMs: 0 }
const plain = shareServer(options)
const servers = [['http', plain]] as ['http' | 'https', typeof plain][]
if (hasProgram('openssl')) servers.push(['https', shareServer({ ...options, tls: makeCertificate() })])

// Errors without a listener would end the server; vitest fails the run by them, too.
const unexpected: unknown[] = []
const note = (error: unknown) => void unexpected.push(error)
beforeAll(() => void process.on('uncaughtExceptionMonitor', note))
afterAll(() => {
  process.off('uncaughtExceptionMonitor', note)
  expect(unexpected).toEqual([])
})

const form = { 'Content-Type': 'multipart/form-data; boundary=b' }
const part = '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
const whole = `${part}x\r\n--b--\r\n`
const json = { 'Content-Type': 'application/json' }
const long = { 'Content-Length': 9 * MiB }

/** The bytes that a client has sent when it vanishes, and the response that it has waited for. */
const phases: [phase: string, say: (token: string) => (string | Buffer)[], heard?: RegExp][] = [
  ['before it has said anything', () => []],
  ['in the start line', () => ['PUT /fi']],
  ['in the headers', (token) => [head('PUT /files/a', token).slice(0, -4)]],
  ['before the body', (token) => [head('PUT /files/a', token, long)]],
  ['waiting for 100 Continue', (token) => [head('PUT /files/a', token, { ...long, Expect: '100-continue' })]],
  ['in the body', (token) => [head('PUT /files/a', token, long), 'xxx']],
  ['in a large body', (token) => [head('PUT /files/a', token, long), Buffer.alloc(8 * MiB)]],
  ['in a chunk', (token) => [head('PUT /files/a', token, { 'Transfer-Encoding': 'chunked' }), '5\r\nhe']],
  ['in a form', (token) => [head('POST /upload', token, { ...form, ...long }), part, 'x']],
  ['in the headers of a part', (token) => [head('POST /upload', token, { ...form, ...long }), '--b\r\nConte']],
  ['in a JSON body', (token) => [head('POST /export', token, { ...json, 'Content-Length': 100 }), '{"f']],
  ['after the whole of an upload', (token) => [head('PUT /files/a', token, { 'Content-Length': 5 }), 'hello']],
  [
    'after the whole of a form',
    (token) => [head('POST /upload', token, { ...form, 'Content-Length': whole.length }), whole],
  ],
  ['in the refusal of a body', () => [head('PUT /files/a', null, long), Buffer.alloc(MiB)]],
  ['before the answer to a download', (token) => [head('GET /files/big', token)]],
  ['in a download', (token) => [head('GET /files/big', token)], /\r\n\r\n\0/],
  ['in a range', (token) => [head('GET /files/big', token, { Range: 'bytes=5-' })], /^HTTP\/1.1 206 /],
  ['while its export is queued', (token) => [head('GET /files/other', token, { Prefer: 'wait=60' })]],
  ['in a list', (token) => [head('GET /files', token)]],
  ['in the stream of events', (token) => [head('GET /jobs/events', token)], /^HTTP\/1.1 200 /],
  ['after a stop', (token) => [head('POST /upload/stop', token)]],
]

describe.each(servers)('a client that disappears by %s', (_scheme, shared) => {
  let ann: Caller
  beforeAll(async () => {
    ann = await shared.newCaller()
    await ann.put('big', Buffer.alloc(20 * MiB))
    await ann.put('other', 'x')
  })

  it.each(phases)('%s leaves the server working, without any of its resources', async (_phase, say, heard) => {
    for (const how of ['close', 'reset', 'half-close'] as const) {
      for (const moment of ['at once', 'when it has arrived'] as const) {
        const connection = await connectTo(ann.url)
        for (const text of say(ann.token)) connection.send(text)
        if (heard) await connection.says(heard)
        if (moment === 'when it has arrived') await ann.call('/healthz')
        if (how === 'close') connection.socket.destroy()
        if (how === 'reset') connection.reset()
        if (how === 'half-close') connection.socket.end()
      }
    }
    // The last bytes may arrive late.
    await eventually('nothing is left of them', async () => {
      const { jobs } = (await ann.call('/jobs?state=running,waiting,paused,committing')).json
      return jobs.length === 0 && (await partialNames(shared.server.dataFolder)).length === 0
    })
    await eventually('the server takes the next file', async () => {
      const { status } = await ann.put('a', 'next')
      return status < 300 && (await ann.call('/files/a')).body.toString() === 'next'
    })
    expect(shared.server.errors).toEqual([])
  })

  it('while its upload is stopped, or its job is paused, leaves no job', async () => {
    const stopped = await holdUpload(ann, 'b')
    const stop = ann.post(`/jobs/${stopped.id}/stop`)
    stopped.request.destroy()
    // Whichever the server hears first.
    const { status } = await stop
    expect((await ann.job(stopped.id)).state).toBe(status === 200 ? 'stopped' : 'failed')
  })
})
