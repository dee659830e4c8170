import { randomUUID } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerOf, Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { onOneServer } from '../../helpers/only-local.js'
import { startOutside } from '../../helpers/outside-program.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const hasCurl = hasProgram('curl')
if (!hasCurl) console.log('curl is missing: the tests that need it are skipped')

describe('a paused upload', () => {
  it.skipIf(!hasCurl)('by curl is soon suspended, and continues when it is resumed', async () => {
    const ann = await shared.newCaller()
    const { id, curl } = await startCurl(ann, { size: 64 * mebibyte, rate: 20 * mebibyte })
    await eventually('bytes have come', async () => (await ann.job(id)).bytes > 4 * mebibyte)
    expect(await ann.post(`/jobs/${id}/pause`)).toMatchObject({ status: 200, json: { id, state: 'paused' } })
    const bytes = await untilStill(async () => (await ann.job(id)).bytes)
    expect(await ann.job(id)).toMatchObject({ state: 'paused', bytes })
    expect(bytes).toBeLessThan(64 * mebibyte)
    expect((await ann.post(`/jobs/${id}/resume`)).json).toMatchObject({ state: 'running', bytes })
    await eventually('more bytes', async () => (await ann.job(id)).bytes > bytes)
    await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: null } })
    expect(await within('curl ends', curl.ended, 60_000)).toMatchObject({ code: 0, stdout: '201' })
    expect(await ann.job(id)).toMatchObject({ state: 'done', bytes: 64 * mebibyte })
  })

  it('does not stall, and loses no bytes sent meanwhile', async () => {
    const server = await startTestServer({ idleTimeoutMs: 1500, shutdownGraceMs: 0 })
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    const upload = await holdUpload(ann, 'a', { size: 1000 })
    await ann.post(`/jobs/${upload.id}/pause`)
    upload.finish()
    await delay(3000)
    expect(await ann.job(upload.id)).toMatchObject({ state: 'paused', bytes: 1 })
    await ann.post(`/jobs/${upload.id}/resume`)
    expect((await upload.answer).json).toMatchObject({ size: 1000 })
  })

  it('keeps its slot', async () => {
    const ann = await shared.newCaller()
    const upload = await holdUpload(ann, 'a')
    await ann.post(`/jobs/${upload.id}/pause`)
    const refused = await ann.put('b', 'b')
    expect(refused).toMatchObject({
      status: 409,
      json: { code: 'job-running', job: { id: upload.id, state: 'paused' } },
    })
    upload.request.destroy()
  })

  it('can be stopped, and leaves nothing', async () => {
    const ann = await shared.newCaller()
    const upload = await holdUpload(ann, 'a', { size: 10_000 })
    await ann.post(`/jobs/${upload.id}/pause`)
    upload.request.write(Buffer.alloc(5000))
    const receipt = await ann.post(`/jobs/${upload.id}/stop`)
    expect(receipt.json).toMatchObject({ cleanedUp: true, bytesDiscarded: 1, job: { state: 'stopped' } })
    expect(await upload.answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    expect((await ann.put('b', 'b')).status).toBe(201)
  })

  it('by form or tus is suspended and continues, too', async () => {
    const ann = await shared.newCaller()
    const boundary = 'b'.repeat(20)
    const form = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="by-form"\r\n\r\n`
    const tail = `\r\n--${boundary}--\r\n`
    const created = await ann.call('/tus', {
      method: 'POST',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': 300_001,
        'Upload-Metadata': `filename ${Buffer.from('by-tus').toString('base64')}`,
        'Filejobs-Job': randomUUID(),
      },
    })
    const doors = [
      {
        id: String(created.headers['filejobs-job']),
        open: () =>
          ann.open(String(created.headers.location), {
            method: 'PATCH',
            headers: {
              'Tus-Resumable': '1.0.0',
              'Upload-Offset': 0,
              'Content-Type': 'application/offset+octet-stream',
              'Content-Length': 300_001,
            },
          }),
        before: '',
        after: '',
      },
      {
        id: randomUUID(),
        open: (id: string) =>
          ann.open('/upload', {
            method: 'POST',
            headers: {
              'Content-Type': `multipart/form-data; boundary=${boundary}`,
              'Content-Length': form.length + 300_001 + tail.length,
              'Filejobs-Job': id,
            },
          }),
        before: form,
        after: tail,
      },
    ]
    for (const { id, open, before, after } of doors) {
      const request = open(id)
      const answer = answerOf(request)
      request.write(`${before}x`)
      await eventually('it runs', async () => (await ann.job(id)).bytes === 1)
      await ann.post(`/jobs/${id}/pause`)
      request.end(Buffer.concat([Buffer.alloc(300_000, 'x'), Buffer.from(after)]))
      await delay(300)
      expect(await ann.job(id)).toMatchObject({ state: 'paused', bytes: 1 })
      await ann.post(`/jobs/${id}/resume`)
      expect((await answer).status).toBeLessThan(300)
      expect(await ann.job(id)).toMatchObject({ state: 'done', bytes: 300_001 })
    }
  })

  it('can be paused again, and a running one resumed; an ended or unknown job cannot', async () => {
    const ann = await shared.newCaller()
    const upload = await holdUpload(ann, 'a')
    for (const [action, state] of [
      ['resume', 'running'],
      ['pause', 'paused'],
      ['pause', 'paused'],
      ['resume', 'running'],
    ]) {
      expect(await ann.post(`/jobs/${upload.id}/${action}`)).toMatchObject({ status: 200, json: { state } })
    }
    upload.finish()
    await upload.answer
    for (const action of ['pause', 'resume']) {
      const late = await ann.post(`/jobs/${upload.id}/${action}`)
      expect(late).toMatchObject({ status: 409, json: { code: 'not-running', job: { state: 'done' } } })
      expect((await ann.post(`/jobs/${randomUUID()}/${action}`)).status).toBe(404)
    }
    const bob = await shared.newCaller()
    expect((await bob.post(`/jobs/${upload.id}/pause`)).status).toBe(404)
  })

  it('has a slot: a waiting upload cannot be paused', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const waiting = ann.put('b', 'b', { Prefer: 'wait=60' })
    const { id } = await ann.findJob('state=waiting')
    expect(await ann.post(`/jobs/${id}/pause`)).toMatchObject({ status: 409, json: { code: 'not-running' } })
    first.finish()
    expect((await waiting).status).toBe(201)
  })
})

describe('a paused export', () => {
  it('sends no more bytes, and continues when it is resumed', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', Buffer.alloc(32 * mebibyte))
    const { id, request, received } = exportOf(ann, 'a', { 'Filejobs-Rate-Limit': 8 * mebibyte })
    await eventually('bytes have come', () => received() > mebibyte)
    await ann.post(`/jobs/${id}/pause`)
    expect(await untilStill(received)).toBeLessThan(32 * mebibyte)
    expect(await ann.job(id)).toMatchObject({ state: 'paused', kind: 'export' })
    await ann.post(`/jobs/${id}/resume`)
    await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: null } })
    await eventually('all has come', () => received() === 32 * mebibyte)
    await eventually('it is done', async () => (await ann.job(id)).state === 'done')
    request.destroy()
  })

  it('is cut when it is stopped', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', Buffer.alloc(32 * mebibyte))
    const { id, cut, received } = exportOf(ann, 'a', { 'Filejobs-Rate-Limit': 8 * mebibyte })
    await eventually('bytes have come', () => received() > mebibyte)
    await ann.post(`/jobs/${id}/pause`)
    expect((await ann.post(`/jobs/${id}/stop`)).json).toMatchObject({ job: { state: 'stopped' } })
    expect(await within('its end', cut)).toBe('ECONNRESET')
  })
})

describe('a pause that exceeds its time limit', () => {
  it('ends the job as stalled, releases the slot, and informs the client', async () => {
    const server = await startTestServer({ maxPauseMs: 300, shutdownGraceMs: 0 })
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    const upload = await holdUpload(ann, 'a')
    await ann.post(`/jobs/${upload.id}/pause`)
    expect(await upload.answer).toMatchObject({ status: 408, json: { code: 'stalled' } })
    expect(await ann.job(upload.id)).toMatchObject({ state: 'failed', error: { code: 'stalled', status: 408 } })
    expect((await ann.put('b', Buffer.alloc(32 * mebibyte))).status).toBe(201)

    const { id, cut, received } = exportOf(ann, 'b', { 'Filejobs-Rate-Limit': 8 * mebibyte })
    await eventually('bytes have come', () => received() > mebibyte)
    await ann.post(`/jobs/${id}/pause`)
    expect(await within('its end', cut)).toBe('ECONNRESET')
    // The connection is cut first: that is one of the clean-ups before the end.
    await eventually('it has failed', async () => (await ann.job(id)).state === 'failed')
    expect(await ann.job(id)).toMatchObject({ error: { code: 'stalled' } })
  })
})

onOneServer('behind a proxy, no client is asked whether it lives: docs/deploy.md', () => {
  describe('a client that disappears while its upload is paused', () => {
    it.skipIf(!hasCurl)(
      'releases its slot; the connections of live clients are not affected by the probe',
      async () => {
        const folder = await temporaryFolder()
        const file = join(folder, 'big')
        await sparse(file, 64 * mebibyte)
        const senders = { curl: curlArgs, fetch: scriptArgs(fetchScript), got: scriptArgs(gotScript) }
        const start = async (sender: keyof typeof senders) => {
          const ann = await shared.newCaller()
          const id = randomUUID()
          const headers = {
            Authorization: `Bearer ${ann.token}`,
            'Filejobs-Job': id,
            'Filejobs-Rate-Limit': `${mebibyte}`,
          }
          const [program, ...args] = senders[sender](file, `${ann.url}/files/a`, headers)
          const running = startOutside(program!, args)
          await eventually(`the upload by ${sender} runs`, async () => (await ann.job(id)).bytes > 0)
          await ann.post(`/jobs/${id}/pause`)
          return { ann, id, sender, ...running }
        }
        const names = Object.keys(senders) as (keyof typeof senders)[]
        const [dying, living] = [await Promise.all(names.map(start)), await Promise.all(names.map(start))]
        const raw = await holdRaw(await shared.newCaller())
        const asked = await holdRaw(await shared.newCaller(), { size: 16 * mebibyte + 1 })
        const python = await holdRaw(await shared.newCaller(), {
          size: 16 * mebibyte + 1,
          headers: { 'User-Agent': 'python-requests/2' },
        })
        const proxied = await holdRaw(await shared.newCaller(), {
          size: 16 * mebibyte + 1,
          headers: { 'X-Forwarded-For': '10.0.0.1' },
        })
        const queued = await queueRaw(await shared.newCaller())
        const reader = await startReader(await shared.newCaller(), 64 * mebibyte)

        raw.socket.destroy()
        for (const { child } of [...dying, reader]) child.kill('SIGKILL')
        const died = [...dying, raw, reader].map(({ ann, id }) => ({ ann, id }))
        await eventually(
          'all that died have ended',
          async () => (await Promise.all(died.map(({ ann, id }) => ann.job(id)))).every((job) => job.endedAt !== null),
          60_000,
        )
        for (const { ann, id } of died) {
          // A client that disconnects after some progress is not an error.
          const end = id === reader.id ? { state: 'done' } : { state: 'failed', error: { code: 'client-left' } }
          expect(await ann.job(id)).toMatchObject(end)
          expect((await ann.put('next', 'x')).status).toBe(201)
        }
        for (const { ann, id, sender, ended } of living) {
          expect(await ann.job(id)).toMatchObject({ state: 'paused' })
          await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: null } })
          await ann.post(`/jobs/${id}/resume`)
          expect({ sender, ...(await within(`${sender} ends`, ended, 60_000)) }).toMatchObject({
            sender,
            stdout: '201',
          })
        }
        const interim = {
          asked: /^HTTP\/1.1 102 Processing\r\nFilejobs-Held: \.+\r\n\r\nHTTP\/1.1 201 /,
          python: /^HTTP\/1.1 100 Continue\r\nFilejobs-Held: \.+\r\n\r\nHTTP\/1.1 201 /,
          proxied: /^HTTP\/1.1 201 /,
        }
        // Each of them has been asked at least once.
        for (const { says } of [asked, python, queued.connection]) await says(/\r\nFilejobs-Held: \./, 60_000)
        for (const [name, { ann, id, ...connection }] of Object.entries({ asked, python, proxied })) {
          await ann.post(`/jobs/${id}/resume`)
          await connection.says(/ 201 Created/, 60_000)
          expect(connection.text()).toMatch(interim[name as keyof typeof interim])
        }
        queued.finishBefore()
        await queued.connection.says(
          /^HTTP\/1.1 102 Processing\r\nFilejobs-Held: \.+\r\n\r\nHTTP\/1.1 100 Continue\r\n\r\n$/,
        )
        queued.connection.send('x')
        await queued.connection.says(/\r\n\r\nHTTP\/1.1 201 Created/)
      },
      240_000,
    )
  })
})

const mebibyte = 1024 ** 2

/** The value of `look` once it has been stable for half a second: all bytes in flight have arrived by then. */
async function untilStill(look: () => number | Promise<number>): Promise<number> {
  return eventually('it stands still', async () => {
    const before = await look()
    await delay(500)
    return (await look()) === before && before
  })
}

async function sparse(path: string, bytes: number): Promise<void> {
  await writeFile(path, '')
  const handle = await open(path, 'r+')
  await handle.truncate(bytes)
  await handle.close()
}

async function startCurl(caller: Caller, { size, rate }: { size: number; rate: number }) {
  const file = join(await temporaryFolder(), 'big')
  await sparse(file, size)
  const id = randomUUID()
  const headers = {
    Authorization: `Bearer ${caller.token}`,
    'Filejobs-Job': id,
    'Filejobs-Rate-Limit': String(rate),
  }
  const [program, ...args] = curlArgs(file, `${caller.url}/files/a`, headers)
  const curl = startOutside(program!, args)
  await eventually('the upload runs', async () => (await caller.job(id)).state === 'running')
  return { id, curl }
}

/** An export that is read as it comes: how much has come, and the error's code once it was cut. */
function exportOf(caller: Caller, name: string, headers: Record<string, string | number>) {
  const id = randomUUID()
  let bytes = 0
  const request = caller.open(`/files/${name}`, { headers: { 'Filejobs-Job': id, ...headers } })
  const cut = new Promise<string | undefined>((resolve) => {
    request.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
    request.on('response', (response) => {
      response.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
    })
  })
  request.end()
  return { id, request, cut, received: () => bytes }
}

/** An upload over a bare connection, paused after its first byte, with more on the way. */
async function holdRaw(ann: Caller, { size = 64 * mebibyte, headers = {} }: { size?: number; headers?: object } = {}) {
  const id = randomUUID()
  const connection = await connectTo(ann.url)
  connection.send(head('PUT /files/a', ann.token, { 'Content-Length': size, 'Filejobs-Job': id, ...headers }))
  connection.send('x')
  await eventually('the raw upload runs', async () => (await ann.job(id)).bytes === 1)
  await ann.post(`/jobs/${id}/pause`)
  connection.send(Buffer.alloc(16 * mebibyte))
  const { socket, says } = connection
  return { ann, id, socket, says, text: () => connection.text }
}

/** An upload that waits for its slot and for 100 Continue. */
async function queueRaw(ann: Caller) {
  const before = await holdUpload(ann, 'before')
  const connection = await connectTo(ann.url)
  const expects = { Prefer: 'wait=60', Expect: '100-continue' }
  connection.send(head('PUT /files/a', ann.token, { 'Content-Length': 1, ...expects }))
  await ann.findJob('state=waiting')
  return { finishBefore: before.finish, connection }
}

/** A curl that exports, paused. */
async function startReader(ann: Caller, size: number) {
  await ann.put('big', Buffer.alloc(size))
  const id = randomUUID()
  const headers = ['-H', `Authorization: Bearer ${ann.token}`, '-H', `Filejobs-Job: ${id}`]
  const limit = ['-H', `Filejobs-Rate-Limit: ${mebibyte}`]
  const running = startOutside('curl', ['-sS', '-o', '/dev/null', ...headers, ...limit, `${ann.url}/files/big`])
  await eventually('the export runs', async () => (await ann.job(id)).bytes > 0)
  await ann.post(`/jobs/${id}/pause`)
  return { ann, id, ...running }
}

function curlArgs(file: string, url: string, headers: Record<string, string>): string[] {
  const args = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return ['curl', '-sS', '-T', file, '-o', '/dev/null', '-w', '%{http_code}', ...args, url]
}

/** A script for Node that is given the file, the URL and the headers. */
function scriptArgs(script: string) {
  return (file: string, url: string, headers: Record<string, string>): string[] => [
    process.execPath,
    '--input-type=module',
    '-e',
    `${script}\nprocess.stdout.write(String(await send(...JSON.parse(process.argv[1]))))`,
    JSON.stringify([file, url, headers]),
  ]
}

const fetchScript = `
import { openAsBlob } from 'node:fs'
async function send(file, url, headers) {
  const { status } = await fetch(url, { method: 'PUT', body: await openAsBlob(file), headers })
  return status
}`

const gotScript = `
import { createReadStream, statSync } from 'node:fs'
import { got } from ${JSON.stringify(import.meta.resolve('got'))}
async function send(file, url, headers) {
  const length = { 'content-length': String(statSync(file).size) }
  const { statusCode } = await got.put(url, { body: createReadStream(file), headers: { ...headers, ...length }, retry: { limit: 0 } })
  return statusCode
}`
