import http from 'node:http'
import { describe, expect, it } from 'vitest'
import { answerOf, Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { startTestServer } from '../../helpers/server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const MiB = 1024 ** 2

describe('a server that shuts down', () => {
  it('completes and answers jobs that end within the grace period', async () => {
    const { server, ann } = await start({ shutdownGraceMs: 60_000 })
    const held = await holdUpload(ann, 'a')
    const closed = server.close()
    held.finish()
    expect((await held.answer).status).toBe(201)
    await within('the end of the server', closed)
  })

  it('ends uploads after the grace period with 503, by every protocol, whether fast, silent or paused', async () => {
    const { server, ann, dataFolder } = await start({ shutdownGraceMs: 300, jobsPerAccount: 9 })
    const silent = await holdUpload(ann, 'silent')
    const paused = await holdUpload(ann, 'paused')
    await ann.post(`/jobs/${paused.id}/pause`)
    const form = ann.open('/upload', { method: 'POST', headers: { 'Content-Type': 'multipart/form-data; boundary=b' } })
    // Last, because it fills the disk.
    const fast = ann.open('/files/fast', { method: 'PUT' })
    const answers = [answerOf(fast), answerOf(form), silent.answer, paused.answer]
    form.write('--b\r\nContent-Disposition: form-data; name="f"; filename="form"\r\n\r\nx')
    const chunk = Buffer.alloc(MiB)
    const send = () => {
      while (!fast.destroyed && fast.write(chunk));
    }
    fast.on('drain', send)
    send()
    await eventually('four run', async () => (await ann.call('/jobs?state=running,paused')).json.jobs.length === 4)

    const closed = server.close()
    for (const answer of answers) {
      const { status, json, headers } = await within('the answer', answer)
      expect({ status, code: json.code }).toEqual({ status: 503, code: 'shutting-down' })
      expect(headers['retry-after']).toMatch(/^\d+$/)
    }
    await within('the end of the server', closed)
    expect(await partialNames(dataFolder)).toEqual([])
    const again = await startTestServer({ dataFolder })
    const { jobs } = (await new Caller(again, ann.token).call('/jobs')).json
    expect(jobs.map((job: { state: string; error: { code: string } }) => `${job.state} ${job.error.code}`)).toEqual(
      Array(4).fill('failed shutting-down'),
    )
    expect(await new Caller(again, ann.token).names()).toEqual([])
    await again.close()
  })

  it('cuts exports after the grace period', async () => {
    const { server, ann } = await start({ shutdownGraceMs: 100 })
    await ann.put('big', Buffer.alloc(40 * MiB))
    const request = ann.open('/files/big')
    const response = new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
    // Some versions of Node tell the request of it too.
    request.on('error', () => {})
    request.end()
    const ended = (await response).pause()
    const closed = server.close()
    await within('the end of the server', closed)
    const end = new Promise((resolve) => ended.on('error', resolve).on('end', () => resolve('a clean end')))
    ended.resume()
    expect(await end).toMatchObject({ code: 'ECONNRESET' })
  })

  it('rejects queued requests at once', async () => {
    const { server, ann } = await start({ shutdownGraceMs: 60_000 })
    await ann.put('a', 'x')
    const held = await holdUpload(ann, 'b')
    const waiting = [ann.put('c', 'c', { Prefer: 'wait=60' }), ann.put('d', 'd', { Prefer: 'wait=60' })]
    await eventually('both wait', async () => (await ann.call('/jobs?state=waiting')).json.jobs.length === 2)
    const closed = server.close()
    for (const answer of await within('their answers', Promise.all(waiting))) {
      expect(answer).toMatchObject({ status: 503, json: { code: 'shutting-down' } })
    }
    held.finish()
    expect((await held.answer).status).toBe(201)
    await closed
  })

  it('accepts no new requests: connections are refused, open ones get 503', async () => {
    const { server, ann } = await start({ shutdownGraceMs: 60_000 })
    await ann.put('a', 'x')
    const held = await holdUpload(ann, 'b')
    const body = '{"filename":"a"}'
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, Expect: '100-continue' }
    const begun = await connectTo(ann.url)
    begun.send(head('POST /export', ann.token, headers))
    await begun.says(/^HTTP\/1.1 100 /)
    const closed = server.close()
    begun.send(body)
    await begun.says(/HTTP\/1.1 503 .*shutting-down/s)
    await expect(ann.call('/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    held.finish()
    expect((await held.answer).status).toBe(201)
    await closed
  })

  it('does not wait for idle connections', async () => {
    const { server, ann } = await start({ shutdownGraceMs: 60_000 })
    const agent = new http.Agent({ keepAlive: true })
    await new Promise<void>((resolve) => {
      http.get(`${ann.url}/healthz`, { agent }, (response) => response.resume().on('end', () => resolve()))
    })
    const silent = await connectTo(ann.url)
    const half = await connectTo(ann.url)
    half.send('GET / HTTP/1.1\r\nHo')
    await within('the end of the server', server.close())
    await silent.ended()
    await half.ended()
    agent.destroy()
  })
})

describe('a server that cannot start', () => {
  it('in a folder in use names the process that uses it', async () => {
    const { server, dataFolder } = await start({})
    await expect(startTestServer({ dataFolder })).rejects.toMatchObject({
      message: expect.stringMatching(/Another filejobs server works on this data folder \(process \d+.*--data/),
    })
    await server.close()
    await (await startTestServer({ dataFolder })).close()
  })

  it('on a port in use says so, and unlocks the folder', async () => {
    const { server } = await start({})
    const dataFolder = await temporaryFolder()
    const port = Number(new URL(server.url).port)
    await expect(startTestServer({ dataFolder, port })).rejects.toMatchObject({
      message: `Another program listens on 127.0.0.1:${port} already: choose another port with --port.`,
    })
    await (await startTestServer({ dataFolder })).close()
    await server.close()
  })

  it('on a foreign address, or without its certificate, says so', async () => {
    await expect(startTestServer({ host: '192.0.2.1' })).rejects.toThrow(/no address of this machine.*--host/)
    const tls = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' }
    await expect(startTestServer({ tls })).rejects.toThrow(/Cannot read \/nowhere\/cert.pem/)
  })
})

async function start(changes: Parameters<typeof startTestServer>[0]) {
  const dataFolder = await temporaryFolder()
  const server = await startTestServer({ dataFolder, ...changes })
  return { server, dataFolder, ann: new Caller(server, await server.logIn('ann')) }
}
