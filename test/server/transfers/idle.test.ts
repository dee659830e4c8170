import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Job } from '../../../dist/server/jobs/job.js'
import { Flow } from '../../../dist/server/transfers/flow.js'
import { answerOf, type Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { TestClock } from '../../helpers/test-clock.js'

const size = 40 * 1024 ** 2
const form = { 'Content-Type': 'multipart/form-data; boundary=b' }
const idleTimeoutMs = 1000
const longer = 2 * idleTimeoutMs
const shared = shareServer({ idleTimeoutMs, shutdownGraceMs: 0 })

describe('a transfer without progress', () => {
  it.concurrent.each([
    ['with a length', { 'Content-Length': 1000 }, 'PUT', '/files/a', 'x'],
    ['with nothing of its body', { 'Content-Length': 1000 }, 'PUT', '/files/a', ''],
    ['in chunks', {}, 'PUT', '/files/a', 'x'],
    [
      'by form, in a file',
      form,
      'POST',
      '/upload',
      '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx',
    ],
    ['by form, before its first file', form, 'POST', '/upload', '--b\r\nContent-Disp'],
  ])('is answered 408 if it is an upload %s', async (_what, headers, method, path, start) => {
    const ann = await shared.newCaller()
    const request = ann.open(path, { method, headers: headers as Record<string, string> })
    request.flushHeaders()
    if (start) request.write(start)
    const { status, json } = await within('the answer', answerOf(request), 20 * idleTimeoutMs)
    expect({ status, json }).toMatchObject({ status: 408, json: { code: 'stalled', job: { state: 'failed' } } })
    expect((await ann.put('next', 'next')).status).toBe(201)
    expect(await ann.names()).toEqual(['next'])
  })

  it.concurrent('is cut if it is an export, so that its client detects the truncation', async () => {
    const ann = await readerOf()
    const response = await openExport(ann)
    const { id } = await ann.findJob('kind=export')
    await eventually('it has failed', async () => (await ann.job(id)).state === 'failed')
    expect((await ann.job(id)).error).toMatchObject({ code: 'stalled', status: 408 })
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect((await ann.call('/files/big')).body.length).toBe(size)
  })
})

describe('a transfer is not stalled', () => {
  it.concurrent('while its sender is slow', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a', { size: 30 })
    for (let sent = 1; sent < 29; sent++) {
      held.request.write('x')
      await delay(100)
    }
    held.request.end('x')
    expect((await held.answer).status).toBe(201)
  })

  it('while a slow client reads byte by byte', async () => {
    let unsent = 1_000_000
    const { flow, clock } = openFlow(() => unsent)
    for (let step = 0; step < 100; step++) {
      unsent--
      await clock.advance(20)
    }
    expect(flow.signal.aborted).toBe(false)
    await clock.advance(180)
    expect(flow.signal.aborted).toBe(false)
    await clock.advance(20)
    expect(flow.signal.reason).toMatchObject({ code: 'stalled' })
    flow.close()
  })

  it.concurrent.each(['upload', 'export'])('while it is paused: an %s', async (kind) => {
    const ann = await readerOf()
    const held = kind === 'upload' ? await holdUpload(ann, 'a', { size: 10 }) : null
    const response = kind === 'export' ? await openExport(ann) : null
    const { id } = await ann.findJob(`kind=${kind}`)
    expect((await ann.post(`/jobs/${id}/pause`)).status).toBe(200)
    await delay(longer)
    expect(await ann.job(id)).toMatchObject({ state: 'paused' })
    expect((await ann.post(`/jobs/${id}/resume`)).status).toBe(200)
    held?.finish()
    if (held) expect((await held.answer).status).toBe(201)
    if (response) expect(await drain(response)).toBe(size)
  })

  it.concurrent('while its rate limit delays each byte', async () => {
    const ann = await shared.newCaller()
    const upload = ann.put('a', 'xyz', { 'Filejobs-Rate-Limit': '1' })
    expect((await within('the upload', upload, 20 * idleTimeoutMs)).status).toBe(201)
  })

  it.concurrent('after a long wait for its slot', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'a', { size: 30 })
    const waiting = ann.put('b', 'b', { Prefer: 'wait=60' })
    for (let sent = 1; sent < 29; sent++) {
      first.request.write('x')
      await delay(80)
    }
    first.request.end('x')
    expect((await waiting).status).toBe(201)
  })
})

it('a server whose event loop was blocked does not treat that as a stall of its clients', async () => {
  const { flow, clock } = openFlow(() => 0)
  clock.skip(600)
  await clock.advance(0)
  expect(flow.signal.aborted).toBe(false)
  await clock.advance(220)
  expect(flow.signal.reason).toMatchObject({ code: 'stalled' })
  flow.close()
})

/** A flow of a job that runs, with an idle limit of 200 ms. */
function openFlow(unsent: () => number) {
  const clock = new TestClock()
  const job = new Job({ id: randomUUID(), kind: 'export', accountId: 1, account: 'user:ann' }, () => {}, clock)
  job.start()
  const flow = new Flow({ carrier: job, shared: [], idleTimeoutMs: 200, signal: new AbortController().signal, unsent })
  return { flow, clock }
}

async function readerOf(): Promise<Caller> {
  const ann = await shared.newCaller()
  await ann.put('big', Buffer.alloc(size, 'x'))
  return ann
}

/** A response that is never read. */
async function openExport(caller: Caller): Promise<IncomingMessage> {
  const request = caller.open('/files/big')
  request.on('error', () => {})
  const response = new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
  request.end()
  return (await response).pause()
}

async function drain(response: IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of response) bytes += chunk.length
  return bytes
}
