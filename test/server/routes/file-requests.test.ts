import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { FileRequestRecord } from '../../../dist/protocol/file-requests.js'
import { answerOf, type Caller, holdUpload } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import {
  askForFiles,
  beginToSend,
  continueToSend,
  listedRequest,
  sendFile,
  type TestRequest,
} from '../../helpers/file-requests.js'
import { shareServer } from '../../helpers/shared-server.js'
import { storedRequests } from '../../helpers/stored-state.js'
import { metadataOf } from '../../helpers/tus.js'

const shared = shareServer()

/** A PUT by the link that has sent one byte of 100. */
async function holdFile(owner: Caller, { path, sender }: TestRequest, name = 'held.bin') {
  const id = randomUUID()
  const headers = { 'Content-Length': 100, 'Filejobs-Job': id }
  const request = sender.open(`${path}/${name}`, { method: 'PUT', headers })
  const answer = answerOf(request)
  answer.catch(() => {})
  request.write('x')
  await eventually('the upload runs', async () => (await owner.job(id)).bytes === 1)
  return { id, request, answer, finish: () => void request.end(Buffer.alloc(99, 'x')) }
}

describe('a link for uploads', () => {
  it('takes files of anyone, without an account, into its folder', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { note: 'Please' })
    expect(request.url).toMatch(new RegExp(`^${ann.url}/r/[\\w-]{44}$`))
    const told = await request.sender.call(request.path)
    expect(told.json).toMatchObject({ note: 'Please', filesLeft: null, bytesLeft: null, maxFileBytes: null })
    expect(told.json.from).toMatch(/^account-/)
    const sent = await sendFile(request, 'sub/a%20file.txt', 'some text')
    expect(sent).toMatchObject({ status: 201, json: { name: 'sub/a file.txt', size: 9 } })
    expect(await ann.names()).toEqual(['in/sub/a file.txt'])
    const job = await ann.job(sent.headers['filejobs-job'] as string)
    expect(job).toMatchObject({ account: `request:${request.id}`, file: 'in/sub/a file.txt', state: 'done', bytes: 9 })
    await eventually('it is counted', async () => (await listedRequest(ann, request)).files === 1)
    expect(await listedRequest(ann, request)).toMatchObject({ state: 'open', files: 1, bytes: 9, folder: 'in/' })
  })

  it('replaces no file: what has its name stays, and the new ones get numbers', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    await ann.put('in/a.txt', 'before')
    const sent = await Promise.all(['1', '2', '3'].map((body) => sendFile(request, 'a.txt', body)))
    expect(sent.map(({ json }) => json.name).sort()).toEqual(['a (2).txt', 'a (3).txt', 'a (4).txt'])
    expect(String((await ann.call('/files/in/a.txt')).body)).toBe('before')
    // Nor does a condition, or a digest, tell a sender what is there.
    const headers = { 'If-Match': '*', 'If-None-Match': '*' }
    const again = await request.sender.call(`${request.path}/a.txt`, { method: 'PUT', body: 'before', headers })
    expect(again).toMatchObject({ status: 201, json: { name: 'a (5).txt' } })
    const { headers: created } = await beginToSend(request, { name: 'a.txt', length: 1 })
    expect((await continueToSend(request, created.location!, 0, 'x')).status).toBe(204)
    expect((await ann.names()).sort()).toEqual(
      ['a (2).txt', 'a (3).txt', 'a (4).txt', 'a (5).txt', 'a (6).txt', 'a.txt'].map((name) => `in/${name}`),
    )
  })

  it('takes a form, whose files are one job, and answers a browser with a page', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { maxFiles: 3 })
    await ann.put('in/a.txt', 'before')
    const post = (names: string[], accept = '*/*') => {
      const form = new FormData()
      for (const name of names) form.append('file', new Blob([name]), name)
      return fetch(request.url, { method: 'POST', body: form, headers: { Accept: accept } })
    }
    const sent = await post(['a.txt', 'b.txt'])
    expect(sent.status).toBe(201)
    expect(await sent.json()).toMatchObject({ files: [{ name: 'a (2).txt', size: 5 }, { name: 'b.txt' }] })
    await eventually('they are counted', async () => (await listedRequest(ann, request)).files === 2)
    const tooMany = await post(['c.txt', 'd.txt'], 'text/html')
    expect(tooMany.status).toBe(410)
    expect(await tooMany.text()).toContain('takes 1 more file')
    const page = await post(['<i>.txt'], 'text/html')
    expect([page.status, await page.text()]).toEqual([201, expect.stringContaining('&lt;i&gt;.txt')])
    expect((await ann.names()).sort()).toEqual(['in/<i>.txt', 'in/a (2).txt', 'in/a.txt', 'in/b.txt'])
  })

  it('takes plain relative names only', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    const names = [
      '../a',
      'a/../../b',
      '%2e%2e/a',
      'a//b',
      'a%5cb',
      'a%00b',
      `${'x'.repeat(250)}`,
      `${'y/'.repeat(511)}z`,
    ]
    for (const name of names) {
      expect(await sendFile(request, name, 'x'), name).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    }
    for (const name of ['../a', '/a', 'a/', 'a\\b', '']) {
      const { status } = await beginToSend(request, { name })
      // Without a name, tus gives the id.
      expect(status, name).toBe(name === '' ? 201 : 400)
    }
    expect(await ann.names()).toEqual([])
    await ann.put('in/file', 'x')
    const below = await sendFile(request, 'file/below', 'x')
    expect(below).toMatchObject({ status: 409, json: { code: 'name-conflict' } })
    expect(JSON.stringify(below.json)).not.toContain('in/')
  })

  it('takes no more files than it allows, however many are sent at the same time', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { maxFiles: 3 })
    const held = await holdFile(ann, request)
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => sendFile(request, `${n}`, 'x')))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 503, 503, 503, 503])
    // Which is given back.
    held.request.destroy()
    await eventually('it is given back', async () => (await sendFile(request, 'last', 'x')).status === 201)
    const full = await sendFile(request, 'more', 'x')
    expect(full).toMatchObject({ status: 410, json: { code: 'request-full' } })
    expect((await beginToSend(request)).status).toBe(410)
    expect(await ann.names()).toHaveLength(3)
    await eventually('it is full', async () => (await listedRequest(ann, request)).state === 'full')
    const page = await fetch(request.url, { headers: { Accept: 'text/html' } })
    expect([page.status, await page.text()]).toEqual([410, expect.stringContaining('takes no more files')])
  })

  it('takes no more bytes than it allows, also where a length is not known before', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { maxBytes: 1000, maxFileBytes: 600 })
    expect(await sendFile(request, 'a', 'x'.repeat(601))).toMatchObject({
      status: 413,
      json: { code: 'file-too-large' },
    })
    expect((await sendFile(request, 'a', 'x'.repeat(600))).status).toBe(201)
    const over = await sendFile(request, 'b', 'x'.repeat(401))
    expect(over).toMatchObject({ status: 413, json: { code: 'file-too-large', bytesLeft: 400 } })
    for (const size of [401, 1_000_000]) {
      const chunked = request.sender.open(`${request.path}/c`, {
        method: 'PUT',
        headers: { 'Transfer-Encoding': 'chunked' },
      })
      chunked.end('x'.repeat(size))
      expect(await answerOf(chunked)).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
    }
    const { headers } = await beginToSend(request, { length: null })
    expect((await continueToSend(request, headers.location!, 0, 'x'.repeat(401))).status).toBe(413)
    expect((await beginToSend(request, { length: 401 })).status).toBe(413)
    const form = new FormData()
    form.append('file', new Blob(['x'.repeat(401)]), 'd')
    expect((await fetch(request.url, { method: 'POST', body: form })).status).toBe(413)
    await eventually('all is given back', async () => (await sendFile(request, 'e', 'x'.repeat(400))).status === 201)
    expect(await ann.names()).toEqual(['in/a', 'in/e'])
    await eventually('it is full', async () => (await listedRequest(ann, request)).state === 'full')
  })

  it('counts against the quota of its owner, of which a sender is told nothing', async () => {
    const [admin, ann] = [await shared.admin(), await shared.newCaller()]
    const request = await askForFiles(ann)
    const { account } = (await ann.call('/auth/me')).json
    await admin.call(`/accounts/${account}`, { method: 'PATCH', body: { quota: 1000 } })
    await ann.put('own', 'x'.repeat(500))
    const over = await sendFile(request, 'a', 'x'.repeat(501))
    expect(over).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    expect(JSON.stringify(over.json)).not.toMatch(/500|1000|"used"/)
    expect((await sendFile(request, 'a', 'x'.repeat(500))).status).toBe(201)
    expect((await ann.put('more', 'x')).status).toBe(413)
  })

  it('has eight uploads at once, outside the slot of its owner; more wait', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    const own = await holdUpload(ann, 'own')
    const held = await Promise.all(Array.from({ length: 8 }, (_, n) => holdFile(ann, request, `secret-${n}`)))
    const waits = sendFile(request, 'ninth', 'x')
    await ann.findJob('state=waiting', (job) => job.file === 'in/ninth')
    const impatient = await request.sender.call(`${request.path}/tenth`, {
      method: 'PUT',
      body: 'x',
      headers: { Prefer: 'wait=0' },
    })
    expect(impatient).toMatchObject({ status: 409, json: { code: 'job-running' } })
    expect(JSON.stringify(impatient.json)).not.toContain('secret')
    held[0]!.finish()
    expect((await waits).status).toBe(201)
    for (const { finish } of [...held.slice(1), own]) finish()
    for (const { answer } of held) expect((await answer).status).toBe(201)
    expect((await own.answer).status).toBe(201)
  })

  it('has jobs that its owner pauses, limits and stops, of which the sender is told', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    const held = await holdFile(ann, request, 'a.txt')
    expect((await ann.call('/jobs?state=running')).json.jobs).toMatchObject([{ id: held.id, file: 'in/a.txt' }])
    expect((await ann.post(`/jobs/${held.id}/pause`)).json).toMatchObject({ state: 'paused' })
    expect((await ann.post(`/jobs/${held.id}/resume`)).json).toMatchObject({ state: 'running' })
    const limited = await ann.call(`/jobs/${held.id}`, { method: 'PATCH', body: { rateLimit: 1000 } })
    expect(limited.json).toMatchObject({ rateLimit: 1000 })
    expect((await ann.post('/upload/stop')).json).toMatchObject({ code: 'no-running-job' })
    const stopped = await ann.post(`/jobs/${held.id}/stop`)
    expect(stopped.json).toMatchObject({ cleanedUp: true, bytesDiscarded: 1 })
    const answer = await held.answer
    expect(answer).toMatchObject({ status: 409, json: { code: 'job-stopped', job: { id: held.id } } })
    expect(answer.json.message).toMatch(/^The upload was stopped by user:account-/)
    expect(JSON.stringify(answer.json)).not.toContain('in/')
    expect(await ann.names()).toEqual([])
  })

  it('is resumable by tus, and reaches no upload but its own', async () => {
    const ann = await shared.newCaller()
    const [request, other] = [await askForFiles(ann), await askForFiles(ann)]
    const { status, headers } = await beginToSend(request, { name: 'a.txt', length: 9 })
    expect(status).toBe(201)
    const location = headers.location!
    expect(location).toMatch(new RegExp(`^${request.path}/tus/`))
    expect((await continueToSend(request, location, 0, 'some ')).headers['upload-offset']).toBe('5')
    const id = location.slice(location.lastIndexOf('/') + 1)
    const tus = { 'Tus-Resumable': '1.0.0' }
    const others = [`${other.path}/tus/${id}`, `/tus/${id}`]
    for (const path of others) {
      for (const method of ['HEAD', 'DELETE']) {
        expect((await ann.call(path, { method, headers: tus })).status, `${method} ${path}`).toBe(404)
      }
      expect((await continueToSend({ sender: ann }, path, 5, 'evil')).status).toBe(404)
    }
    const own = await ann.call('/tus', {
      method: 'POST',
      headers: { ...tus, 'Upload-Length': 10, 'Upload-Metadata': metadataOf({ filename: 'own' }), 'Content-Length': 0 },
    })
    const ofOwner = own.headers.location!.slice('/tus/'.length)
    for (const method of ['HEAD', 'DELETE']) {
      expect((await request.sender.call(`${request.path}/tus/${ofOwner}`, { method, headers: tus })).status).toBe(404)
    }
    const look = await request.sender.call(location, { method: 'HEAD', headers: tus })
    expect(look.headers['upload-offset']).toBe('5')
    expect((await continueToSend(request, location, 5, 'text')).status).toBe(204)
    expect(String((await ann.call('/files/in/a.txt')).body)).toBe('some text')
    const unknown = await request.sender.call(`${request.path}/tus`, { method: 'POST' })
    expect(unknown.status).toBe(412)
    const stopped = await beginToSend(request, { name: 'b.txt' })
    const removed = await request.sender.call(stopped.headers.location!, { method: 'DELETE', headers: tus })
    expect(removed.status).toBe(204)
    expect(await ann.names()).toEqual(['in/a.txt'])
  })

  it('joins no job of its owner', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    const { json } = await ann.post('/jobs', { kind: 'upload', name: 'photos/' })
    const headers = { 'Filejobs-Part-Of': json.id }
    const sent = await request.sender.call(`${request.path}/a.txt`, { method: 'PUT', body: 'x', headers })
    expect(sent.status).toBe(201)
    expect(sent.headers['filejobs-job']).not.toBe(json.id)
    expect(await ann.job(json.id)).toMatchObject({ bytes: 0 })
    await ann.post(`/jobs/${json.id}/stop`)
  })

  it('stops everything when it is revoked, and says so from then on', async () => {
    const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
    const request = await askForFiles(ann)
    await sendFile(request, 'arrived', 'x')
    const held = await holdFile(ann, request)
    const { headers } = await beginToSend(request)
    await continueToSend(request, headers.location!, 0, 'x')
    expect(await bob.call(`/requests/${request.id}`, { method: 'DELETE' })).toMatchObject({
      status: 404,
      json: { code: 'request-not-found' },
    })
    expect((await ann.call(`/requests/${request.id}`, { method: 'DELETE' })).status).toBe(204)
    expect(await held.answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    for (const answer of [
      await sendFile(request, 'a', 'x'),
      await beginToSend(request),
      await continueToSend(request, headers.location!, 1, 'x'),
      await request.sender.call(request.path),
    ]) {
      expect(answer).toMatchObject({ status: 410, json: { code: 'request-revoked' } })
    }
    expect(await ann.names()).toEqual(['in/arrived'])
    expect((await ann.call('/jobs?state=running,waiting,interrupted,paused')).json.jobs).toEqual([])
    expect(await listedRequest(ann, request)).toMatchObject({ state: 'revoked', files: 1 })
    expect((await ann.call(`/requests/${request.id}`, { method: 'DELETE' })).status).toBe(204)
  })

  it('takes nothing new when it has expired, but what had begun to the end', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { expiresIn: 2 })
    const { headers } = await beginToSend(request, { name: 'begun', length: 2 })
    await continueToSend(request, headers.location!, 0, 'x')
    await eventually('it expires', async () => (await request.sender.call(request.path)).status === 410)
    expect(await sendFile(request, 'a', 'x')).toMatchObject({ status: 410, json: { code: 'request-expired' } })
    expect((await beginToSend(request)).status).toBe(410)
    expect((await continueToSend(request, headers.location!, 1, 'x')).status).toBe(204)
    expect(await ann.names()).toEqual(['in/begun'])
    expect(await listedRequest(ann, request)).toMatchObject({ state: 'expired' })
    const page = await fetch(request.url, { headers: { Accept: 'text/html' } })
    expect([page.status, await page.text()]).toEqual([410, expect.stringContaining('This link has expired')])
  })

  it('gives nothing without its password, which is stored as a hash', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { password: 'the password' })
    expect(request.hasPassword).toBe(true)
    const { path, sender } = request
    for (const answer of [await sender.call(path), await sendFile(request, 'a', 'x'), await beginToSend(request)]) {
      expect(answer).toMatchObject({ status: 401, json: { code: 'password-required' } })
    }
    const basic = (password: string) => ({ Authorization: `Basic ${btoa(`any:${password}`)}` })
    const put = (password: string) => sender.call(`${path}/a`, { method: 'PUT', body: 'x', headers: basic(password) })
    expect(await put('wrong password')).toMatchObject({ status: 401, json: { code: 'wrong-password' } })
    expect((await put('the password')).status).toBe(201)
    const form = {
      method: 'POST',
      body: new URLSearchParams({ password: 'the password' }),
      redirect: 'manual' as const,
    }
    const opened = await fetch(request.url, form)
    const [cookie = ''] = opened.headers.getSetCookie()
    expect([opened.status, opened.headers.get('location')]).toEqual([303, path])
    expect(cookie).toContain(`Path=${path};`)
    const page = await fetch(request.url, { headers: { Accept: 'text/html', Cookie: cookie.split(';')[0]! } })
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('asks you for files')])
    const stored = await storedRequests(shared.server.dataFolder)
    expect(stored).toContain(request.id)
    expect(stored).not.toContain('the password')
  })

  it('slows down who guesses its password', async () => {
    const ann = await shared.newCaller()
    const { path, sender } = await askForFiles(ann, { password: 'the password' })
    const guess = () => sender.call(path, { headers: { Authorization: `Basic ${btoa('any:wrong one')}` } })
    const statuses = new Set<number>()
    await eventually('guesses are slowed down', async () => {
      for (const { status } of await Promise.all(Array.from({ length: 20 }, guess))) statuses.add(status)
      return statuses.has(429)
    })
    expect([...statuses].sort()).toEqual([401, 429])
  })

  it('is made in a folder, with limits that are possible, and ends with its account', async () => {
    const [admin, ann] = [await shared.admin(), await shared.newCaller()]
    await ann.put('file', 'x')
    const create = async (body: object) => (await ann.post('/requests', { expiresIn: 60, folder: 'in/', ...body })).json
    for (const folder of ['in', '/', '', '../', 'a//b/']) {
      expect(await create({ folder }), folder).toMatchObject({ code: 'invalid-request', field: 'name' })
    }
    expect(await create({ folder: 'file/' })).toMatchObject({ code: 'name-conflict' })
    for (const wrong of [
      { maxFiles: 0 },
      { maxBytes: -1 },
      { maxFileBytes: 0.5 },
      { expiresIn: 0 },
      { password: 'x' },
    ]) {
      expect(await create(wrong), JSON.stringify(wrong)).toMatchObject({ status: 400, field: Object.keys(wrong)[0] })
    }
    const { path, sender } = await askForFiles(ann)
    const { account } = (await ann.call('/auth/me')).json
    await admin.call(`/accounts/${account}`, { method: 'PATCH', body: { disabled: true } })
    expect((await sender.call(path)).json).toMatchObject({ code: 'request-not-found' })
    expect((await admin.call(`/accounts/${account}`, { method: 'DELETE' })).status).toBe(204)
    expect((await sender.call(path)).status).toBe(404)
    expect((await sender.call(`${path}x`)).status).toBe(404)
  })

  it('counts how often its page was shown', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    const page = await fetch(request.url, { headers: { Accept: 'text/html' } })
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none';.*script-src 'nonce-[^']+'/)
    expect(page.headers.get('cache-control')).toBe('no-store')
    await eventually('it is counted', async () => {
      const { opened } = (await listedRequest(ann, request)) as FileRequestRecord
      return opened === 1
    })
  })
})
