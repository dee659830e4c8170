import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Job } from '../../../dist/server/jobs/job.js'
import { Flow } from '../../../dist/server/transfers/flow.js'
import { answerOf, type Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'

const size = 40 * 1024 ** 2
const form = { 'Content-Type': 'multipart/form-data; boundary=b' }
const idleTimeoutMs = 1000
const longer = 2 * idleTimeoutMs
const shared = shareServer({ idleTimeoutMs, shutdownGraceMs: 0 })

describe('a transfer that nothing moves in', () => {
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
  ])('is answered 408 when it is an upload %s', async (_what, headers, method, path, start) => {
    const ann = await shared.newCaller()
    const request = ann.open(path, { method, headers: headers as Record<string, string> })
    request.flushHeaders()
    if (start) request.write(start)
    const { status, json } = await within('the answer', answerOf(request), 20 * idleTimeoutMs)
    expect({ status, json }).toMatchObject({ status: 408, json: { code: 'stalled', job: { state: 'failed' } } })
    expect((await ann.put('next', 'next')).status).toBe(201)
    expect(await ann.names()).toEqual(['next'])
  })

  it.concurrent('is cut when it is an export, and its reader cannot take it for whole', async () => {
    const ann = await readerOf()
    const response = await openExport(ann)
    const { id } = await ann.findJob('kind=export')
    await eventually('it has failed', async () => (await ann.job(id)).state === 'failed')
    expect((await ann.job(id)).error).toMatchObject({ code: 'stalled', status: 408 })
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect((await ann.call('/files/big')).body.length).toBe(size)
  })
})

describe('a transfer goes on', () => {
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

  it.concurrent('while what passed is taken by a slow reader, byte by byte', async () => {
    let unsent = 1_000_000
    const flow = openFlow(() => unsent)
    const until = performance.now() + 1000
    while (performance.now() < until) {
      unsent--
      await delay(20)
    }
    expect(flow.signal.aborted).toBe(false)
    await eventually('it stalls', () => flow.signal.aborted)
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

  it.concurrent('while it is paced so that a byte passes seldom', async () => {
    const ann = await shared.newCaller()
    const upload = ann.put('a', 'xyz', { 'Filejobs-Rate-Limit': '1' })
    expect((await within('the upload', upload, 20 * idleTimeoutMs)).status).toBe(201)
  })

  it.concurrent('when it has waited for its turn for longer', async () => {
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

it('a server that stood still does not take that for the silence of others', async () => {
  const flow = openFlow(() => 0)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
  await delay(1)
  expect(flow.signal.aborted).toBe(false)
  await eventually('it stalls', () => flow.signal.aborted)
  flow.close()
})

/** A flow of a job that runs, with an idle limit of 200 ms. */
function openFlow(unsent: () => number): Flow {
  const job = new Job({ id: randomUUID(), kind: 'export', accountId: 1, account: 'user:ann' }, () => {})
  job.start()
  return new Flow({ job, shared: [], idleTimeoutMs: 200, signal: new AbortController().signal, unsent })
}

async function readerOf(): Promise<Caller> {
  const ann = await shared.newCaller()
  await ann.put('big', Buffer.alloc(size, 'x'))
  return ann
}

/** A response that nobody reads. */
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
