import { randomBytes, randomUUID } from 'node:crypto'
import { truncate, utimes, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { finish, openFolderJob, partOf } from '../../helpers/folder-jobs.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { run } from '../../helpers/system-programs.js'
import { type TarPart, tarOf } from '../../helpers/tars.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const MiB = 1024 ** 2
const formats = [['tar'], ['zip']] as const

describe('an export of an archive', () => {
  it.each(formats)('an export of a folder as %s is one job that counts its files and bytes', async (format) => {
    const { ann } = await ownerOfMany()
    const id = randomUUID()
    const answer = await ann.call(`/files/many/?archive=${format}`, { headers: { 'Filejobs-Job': id } })
    expect(answer).toMatchObject({ status: 200, headers: { 'filejobs-job': id } })
    expect(await ann.job(id)).toMatchObject({
      kind: 'export',
      file: 'many/',
      state: 'done',
      bytes: 4_000_000,
      totalBytes: 4_000_000,
      percent: 100,
      files: { total: 40, done: 40, failed: 0 },
    })
    expect((await ann.call('/jobs?kind=export')).json.jobs).toHaveLength(1)
  })

  it.each(formats)(
    'a stopped export of a folder as %s is cut, and what arrived is no complete archive',
    async (format) => {
      const { ann } = await ownerOfLarge()
      const { response, ended, chunks } = await begin(ann, `/files/many/?archive=${format}`)
      const job = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
      const receipt = await ann.post(`/jobs/${job.id}/stop`)
      expect(receipt).toMatchObject({
        status: 200,
        json: { job: { state: 'stopped', file: 'many/' }, bytesDiscarded: 0, cleanedUp: true },
      })
      response.resume()
      expect(await within('the end of the response', ended)).toMatchObject({ code: 'ECONNRESET' })
      const path = join(await temporaryFolder(), `archive.${format}`)
      await writeFile(path, Buffer.concat(chunks))
      const [program, args] = format === 'tar' ? ['tar', ['-tf', path]] : ['unzip', ['-tqq', path]]
      expect((await run(program as string, args as string[])).code).not.toBe(0)
    },
  )

  it('a program that repeats the stopped export of an archive is refused for a moment', async () => {
    const { ann } = await ownerOfLarge()
    const { response } = await begin(ann, '/files/many/?archive=tar', { 'User-Agent': 'curl' })
    response.on('error', () => {})
    const { id } = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    await ann.post(`/jobs/${id}/stop`)
    const again = await ann.call('/files/many/?archive=tar', { headers: { 'User-Agent': 'curl' } })
    expect(again).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
  })

  it.each(formats)('a paused export of a folder as %s waits, and is complete after it is resumed', async (format) => {
    const { ann } = await ownerOfLarge()
    const { response, ended, chunks } = await begin(ann, `/files/many/?archive=${format}`)
    const { id } = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    expect(await ann.post(`/jobs/${id}/pause`)).toMatchObject({ status: 200, json: { state: 'paused' } })
    response.resume()
    const paused = await eventually('no more bytes come', async () => {
      const { bytes } = await ann.job(id)
      const before = chunks.length
      await ann.job(id)
      return (await ann.job(id)).bytes === bytes && chunks.length === before && bytes
    })
    expect(paused).toBeLessThan(40 * MiB)
    await ann.post(`/jobs/${id}/resume`)
    expect(await within('the end of the response', ended)).toBe('a clean end')
    const path = join(await temporaryFolder(), `archive.${format}`)
    await writeFile(path, Buffer.concat(chunks))
    const [program, args] = format === 'tar' ? ['tar', ['-tf', path]] : ['unzip', ['-tqq', path]]
    expect((await run(program as string, args as string[])).code).toBe(0)
    expect(await ann.job(id)).toMatchObject({ state: 'done', bytes: 40 * MiB, files: { total: 41, done: 41 } })
  })

  it('an export of an archive is limited in its bytes per second from the first one on', async () => {
    const { ann } = await ownerOfMany()
    const headers = { 'Filejobs-Rate-Limit': '2000000' }
    const { response, ended } = await begin(ann, '/files/many/?archive=tar', headers)
    response.resume()
    const job = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    expect(job).toMatchObject({ rateLimit: 2_000_000 })
    expect(job.bytes).toBeLessThan(4_000_000)
    await ann.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: null } })
    expect(await within('the end of the response', ended)).toBe('a clean end')
  })

  it('an export of an archive takes the slot of its account, and another waits for it', async () => {
    const { ann } = await ownerOfLarge()
    const { response, ended } = await begin(ann, '/files/many/?archive=tar')
    await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    const another = '/files/many/?archive=zip'
    expect(await ann.call(another)).toMatchObject({ status: 409, json: { code: 'job-running' } })
    const waiting = ann.call(another, { headers: { Prefer: 'wait=60' } })
    await ann.findJob('kind=export&state=waiting')
    response.resume()
    expect(await within('the end of the response', ended)).toBe('a clean end')
    expect((await waiting).status).toBe(200)
  })

  it('archives of several accounts are exported at the same time', async () => {
    const owners = await Promise.all(Array.from({ length: 4 }, ownerOfMany))
    const answers = await Promise.all(owners.map(({ ann }) => ann.call('/files/many/?archive=tar')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    for (const { ann } of owners) {
      const job = await ann.findJob('kind=export')
      expect(job).toMatchObject({ state: 'done', bytes: 4_000_000, files: { total: 40, done: 40, failed: 0 } })
    }
  })

  it('an export of an archive fails when its client leaves, and its slot is free', async () => {
    const { ann } = await ownerOfLarge()
    const { response } = await begin(ann, '/files/many/?archive=zip')
    response.on('error', () => {})
    const { id } = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    response.destroy()
    await eventually('it has ended', async () => (await ann.job(id)).state === 'failed')
    expect((await ann.job(id)).error).toMatchObject({ code: 'client-left' })
    expect((await ann.call('/files/many/small/?archive=zip')).status).toBe(200)
  })
})

describe('an archive as part of a job of many files', () => {
  it('an archive that is part of a job is one of its streams, and its files are counted there', async () => {
    const { ann } = await ownerOfMany()
    const id = await openFolderJob(ann, 'many/', { kind: 'export', files: 41 })
    const body = { files: ['many/1', 'many/2'], digests: true }
    const both = await ann.call('/export', { method: 'POST', body, headers: partOf(id) })
    expect(both).toMatchObject({ status: 200, headers: { 'filejobs-job': id } })
    expect((await ann.call('/files/many/?archive=zip', { headers: partOf(id) })).status).toBe(200)
    expect(await finish(ann, id)).toMatchObject({
      status: 200,
      json: { job: { bytes: 4_200_000, files: { done: 42, failed: 0 } } },
    })
    expect((await ann.call('/jobs?kind=export')).json.jobs).toHaveLength(1)
  })

  it('an archive that cannot be part of a job is refused before its first byte', async () => {
    const { ann } = await ownerOfMany()
    await ann.put('other', 'x')
    const id = await openFolderJob(ann, 'many/', { kind: 'export' })
    const send = (files: string[], headers = partOf(id)) =>
      ann.call('/export', { method: 'POST', body: { files }, headers })
    expect(await send(['many/1', 'other'])).toMatchObject({ status: 409, json: { code: 'not-joinable' } })
    expect(await send(['many/1', 'many/missing'])).toMatchObject({
      status: 404,
      json: { code: 'file-not-found', name: 'many/missing' },
    })
    expect(await send(['many/1'], partOf(randomUUID()))).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
    await finish(ann, id)
    expect(await send(['many/1'])).toMatchObject({ status: 409 })
  })

  it('a stop of the job cuts its archives', async () => {
    const { ann } = await ownerOfLarge()
    const id = await openFolderJob(ann, 'many/', { kind: 'export' })
    const { response, ended } = await begin(ann, '/files/many/?archive=tar', partOf(id) as Record<string, string>)
    await eventually('bytes were sent', async () => (await ann.job(id)).bytes > 0)
    expect(await ann.post(`/jobs/${id}/stop`)).toMatchObject({ status: 200, json: { job: { state: 'stopped' } } })
    response.resume()
    expect(await within('the end of the response', ended)).toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('an archive whose files change while it is sent', () => {
  onlyLocal('objects are never changed, and one that is being read is kept', () => {
    it.each([
      ['is changed in place', (path: string) => utimes(path, 1, 1)],
      ['becomes shorter', (path: string) => truncate(path, 100)],
    ] as const)('an archive is broken off by a file that %s while it is sent', async (_what, change) => {
      const { ann } = await ownerOfLarge()
      const { response, ended } = await begin(ann, '/files/many/?archive=tar')
      const { id } = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
      const { username } = (await ann.call('/auth/me')).json
      await change(join(shared.server.dataFolder, 'uploads/user', username, 'many/large'))
      response.resume()
      expect(await within('the end of the response', ended)).toMatchObject({ code: 'ECONNRESET' })
      expect(await ann.job(id)).toMatchObject({ state: 'failed', error: { code: 'file-changed' } })
    })
  })

  it('an archive is broken off by a file that is removed before it is sent', async () => {
    const { ann } = await ownerOfLarge()
    const { response, ended } = await begin(ann, '/files/many/?archive=zip')
    const { id } = await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    expect((await ann.call('/files/many/z', { method: 'DELETE' })).status).toBe(204)
    response.resume()
    expect(await within('the end of the response', ended)).toMatchObject({ code: 'ECONNRESET' })
    expect(await ann.job(id)).toMatchObject({ state: 'failed', error: { code: 'file-not-found', name: 'many/z' } })
  })

  it('an archive has the new version of a file that is replaced before it is sent', async () => {
    const { ann } = await ownerOfLarge()
    const { response, ended, chunks } = await begin(ann, '/files/many/?archive=tar')
    await ann.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    expect((await ann.put('many/z', 'the new version')).status).toBe(200)
    response.resume()
    expect(await within('the end of the response', ended)).toBe('a clean end')
    expect(Buffer.concat(chunks).includes('the new version')).toBe(true)
  })
})

describe('a request for an archive', () => {
  it('HEAD of an archive has the headers of a GET, and starts no job', async () => {
    const { ann } = await ownerOfMany()
    const { status, headers } = await ann.call('/files/many/?archive=zip', { method: 'HEAD' })
    expect({ status, headers }).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/zip',
        'content-disposition': `attachment; filename="many.zip"; filename*=UTF-8''many.zip`,
        'cache-control': 'private, no-cache',
        'accept-ranges': 'none',
      },
    })
    expect((await ann.call('/files/no/?archive=zip', { method: 'HEAD' })).status).toBe(404)
    expect((await ann.call('/jobs?kind=export')).json.jobs).toEqual([])
  })

  it.each([
    ['GET', '/files/many/?archive=rar', 400, 'invalid-request'],
    ['GET', '/files/many?archive=tar', 400, 'invalid-request'],
    ['GET', '/files/many/../?archive=tar', 400, 'invalid-request'],
    ['GET', '/files/missing/?archive=tar', 404, 'file-not-found'],
    ['GET', '/files/man/?archive=tar', 404, 'file-not-found'],
    ['GET', '/published/missing/?archive=tar', 403, 'not-allowed'],
  ])('%s %s is answered %i %s', async (method, path, status, code) => {
    const { ann } = await ownerOfMany()
    expect(await ann.call(path, { method })).toMatchObject({ status, json: { code } })
  })

  it.each([
    [{ files: ['many/1'], archive: 'rar' }, 400, 'invalid-request'],
    [{ files: [] }, 400, 'invalid-request'],
    [{ files: ['../x'] }, 400, 'invalid-request'],
    [{ files: ['many/', 'missing'] }, 404, 'file-not-found'],
    [{ files: ['missing/'] }, 404, 'file-not-found'],
  ])('POST /export of %j is answered %i %s', async (body, status, code) => {
    const { ann } = await ownerOfMany()
    expect(await ann.post('/export', body)).toMatchObject({ status, json: { code } })
  })

  it('an archive of a space without files is 404, and a range of an archive is ignored', async () => {
    const empty = await shared.newCaller()
    expect(await empty.call('/files?archive=tar')).toMatchObject({ status: 404, json: { code: 'file-not-found' } })
    const { ann } = await ownerOfMany()
    const { status, body } = await ann.call('/files/many/?archive=tar', { headers: { Range: 'bytes=0-9' } })
    expect({ status, isWhole: body.length > 4_000_000 }).toEqual({ status: 200, isWhole: true })
  })

  it('a client exports an archive of a published folder', async () => {
    const depot = await shared.newCaller('ops')
    const { username } = (await depot.call('/auth/me')).json
    await depot.put('docs/a', 'published')
    const client = await shared.newCaller('client')
    for (const [path, member] of [
      [`/published/${username}/docs/?archive=tar`, 'docs/a'],
      [`/published/${username}?archive=tar`, 'docs/a'],
    ] as const) {
      const { status, body, headers } = await client.call(path)
      expect({ status, isThere: body.includes(`${member}\0`) }).toEqual({ status: 200, isThere: true })
      expect(await client.job(headers['filejobs-job'] as string)).toMatchObject({
        file: expect.stringContaining(`ops:${username}/`),
      })
    }
    expect((await client.call(`/published/${username}/missing/?archive=tar`)).status).toBe(404)
  })
})

/** Forty files of 100 kB. */
async function ownerOfMany(): Promise<{ ann: Caller }> {
  return ownerOf(Array.from({ length: 40 }, (_, index) => ({ name: `${index}`, content: randomBytes(100_000) })))
}

/** Small files, one that fills all buffers between server and reader, and one that is opened after it. */
async function ownerOfLarge(): Promise<{ ann: Caller }> {
  const small = Array.from({ length: 39 }, (_, index) => ({ name: `small/${index}`, content: 'x'.repeat(100) }))
  const large = { name: 'large', content: randomBytes(40 * MiB - 39 * 100 - 300_000) }
  return ownerOf([...small, large, { name: 'z', content: 'z'.repeat(300_000) }])
}

/** An account with these files below `many/`. */
async function ownerOf(files: TarPart[]): Promise<{ ann: Caller }> {
  const ann = await shared.newCaller()
  expect((await ann.call('/files/many/?extract=tar', { method: 'PUT', body: tarOf(files) })).status).toBe(200)
  return { ann }
}

/** Begins a request, and reads nothing of its response yet. */
async function begin(ann: Caller, path: string, headers: Record<string, string> = {}) {
  // From Node 24 on, the request also reports the reset.
  const request = ann.open(path, { headers }).on('error', () => {})
  request.end()
  const response = await new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise((resolve) => response.on('error', resolve).on('end', () => resolve('a clean end')))
  response.pause()
  return { response, ended, chunks }
}
