import { describe, expect, it, onTestFinished } from 'vitest'
import { answerOf, Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { type TarPart, tarOf } from '../../helpers/tars.js'

const shared = shareServer()

function send(caller: Caller, parts: TarPart[], { query = '', headers = {} } = {}) {
  const path = `/files/in/?extract=tar${query}`
  return caller.call(path, { method: 'PUT', body: tarOf(parts), headers })
}

const together = { query: '&publish=together' }
const replacing = { query: '&publish=together&replace=true' }

async function nothingLeft(): Promise<void> {
  await eventually('nothing is left in partial/', async () => {
    return (await partialNames(shared.server.dataFolder)).length === 0
  })
}

describe('a tar whose files are published together', () => {
  it('is invisible until its end, and then there with all of its files', async () => {
    const ann = await shared.newCaller()
    await ann.put('in/f1', 'old')
    const request = ann.open('/files/in/?extract=tar&publish=together', { method: 'PUT' })
    const answer = answerOf(request)
    request.write(
      tarOf([...files(300, 'new'), { name: 'large', content: Buffer.alloc(100_000, 'l') }], { ends: false }),
    )
    const job = await ann.findJob('state=running', ({ files }) => (files?.done ?? 0) >= 257)
    expect(await ann.names()).toEqual(['in/f1'])
    expect((await ann.call('/files/in/f1')).body.toString()).toBe('old')
    request.end(tarOf([]))
    const { status, json } = await answer
    expect(status).toBe(200)
    expect(json).toMatchObject({
      job: { id: job.id, state: 'done' },
      published: { files: 301, created: 300, replaced: 1 },
    })
    expect(await ann.names()).toHaveLength(301)
    expect((await ann.call('/files/in/f1')).body.toString()).toBe('new 1')
    expect((await ann.post(`/jobs/${job.id}/stop`)).json).toMatchObject({ code: 'already-published', status: 409 })
    await nothingLeft()
  })

  it('replaces a folder in the same step, and says how many files it has removed', async () => {
    const ann = await shared.newCaller()
    await send(ann, [...files(5, 'old'), { name: 'gone/x', content: 'x' }])
    await ann.put('beside', 'x')
    const { json } = await send(ann, files(3, 'new'), replacing)
    expect(json.published).toMatchObject({ files: 3, replaced: 3, created: 0, removed: 3 })
    expect(await ann.names()).toEqual(['beside', 'in/f0', 'in/f1', 'in/f2'])
    await nothingLeft()
  })

  it('has its empty folders at its end only, also where it replaces a folder', async () => {
    const ann = await shared.newCaller()
    await ann.put('in/old/x', 'old')
    await ann.call('/files/in/gone/', { method: 'PUT' })
    const parts: TarPart[] = ['empty/', 'outer/inner/'].map((name) => ({ name, type: '5' }))
    const folders = async (prefix: string) => {
      const { json } = await ann.call(`/files?delimiter=/&prefix=${prefix}`)
      return json.folders.map(({ name }: { name: string }) => name)
    }
    const { id } = (await ann.post('/jobs', { kind: 'upload', name: 'in/', publish: 'together' })).json
    const headers = { 'Filejobs-Part-Of': id }
    expect((await send(ann, [...parts, ...files(2, 'new')], { headers })).status).toBe(200)
    expect(await folders('in/')).toEqual(['in/gone/', 'in/old/'])
    expect((await ann.post(`/jobs/${id}/finish`)).status).toBe(200)
    expect(await folders('in/')).toEqual(['in/empty/', 'in/gone/', 'in/old/', 'in/outer/'])
    await send(ann, [{ name: 'other/', type: '5' }, ...parts.slice(1), ...files(1, 'new')], replacing)
    expect(await folders('in/')).toEqual(['in/other/', 'in/outer/'])
    expect(await folders('in/outer/')).toEqual(['in/outer/inner/'])
    await send(
      ann,
      [
        { name: 'no/', type: '5' },
        { name: 'f0', content: 'x', pax: { size: '7evil' } },
      ],
      together,
    )
    expect(await folders('in/')).toEqual(['in/other/', 'in/outer/'])
    await nothingLeft()
  })

  const refused: Record<string, { parts: TarPart[]; headers?: Record<string, string>; status: number }> = {
    'a false precondition': {
      parts: [{ name: 'there', content: 'x' }],
      headers: { 'If-None-Match': '*' },
      status: 412,
    },
    'a name below a file': { parts: [{ name: 'there/x', content: 'x' }], status: 409 },
    'a wrong digest': { parts: [{ name: 'x', content: 'x', pax: { 'FILEJOBS.sha256': '0'.repeat(64) } }], status: 422 },
    'a large file with a wrong digest': {
      parts: [{ name: 'x', content: Buffer.alloc(70_000), pax: { 'FILEJOBS.sha256': '0'.repeat(64) } }],
      status: 422,
    },
    'a hostile entry': { parts: [{ name: '../x', content: 'x' }], status: 400 },
  }
  for (const [what, { parts, headers = {}, status }] of Object.entries(refused)) {
    it(`publishes nothing because of ${what}`, async () => {
      const ann = await shared.newCaller()
      await ann.put('in/there', 'old')
      const answer = await send(ann, [...files(200, 'new'), ...parts], { ...together, headers })
      expect(answer.status).toBe(status)
      expect(await ann.names()).toEqual(['in/there'])
      expect((await ann.call('/jobs?state=failed')).json.jobs).toHaveLength(1)
      await nothingLeft()
    })
  }

  for (const query of ['', together.query]) {
    it(`${query ? 'leaves nothing' : 'keeps whole files, but nothing else,'} after a stop in the middle${query && ', of files published together'}`, async () => {
      const ann = await shared.newCaller()
      const request = ann.open(`/files/in/?extract=tar${query}`, { method: 'PUT' })
      const answer = answerOf(request)
      const whole = tarOf([...files(200, 'new'), { name: 'large', content: Buffer.alloc(1_000_000) }])
      request.write(whole.subarray(0, -500_000))
      const job = await ann.findJob('state=running', ({ bytes }) => bytes > 300_000)
      await eventually('a batch is done', async () => ((await ann.job(job.id)).files?.done ?? 0) >= 128)
      const { status, json: receipt } = await ann.post(`/jobs/${job.id}/stop`)
      expect(status).toBe(200)
      const names = await ann.names()
      expect(names.every((name) => /^in\/f\d+$/.test(name))).toBe(true)
      expect(receipt).toMatchObject({ published: { files: names.length }, cleanedUp: true })
      expect(names).toHaveLength(query ? 0 : receipt.published.files)
      expect((await answer).json).toMatchObject({ code: 'job-stopped' })
      await nothingLeft()
    })

    it(`whose client vanishes leaves ${query ? 'nothing' : 'whole files only'}`, async () => {
      const ann = await shared.newCaller()
      const request = ann.open(`/files/in/?extract=tar${query}`, { method: 'PUT' })
      request.on('error', () => {})
      const parts = files(200, 'new')
      request.write(tarOf(parts, { ends: false }))
      const all = parts.reduce((sum, { content }) => sum + content!.length, 0)
      const job = await ann.findJob('state=running', ({ bytes }) => bytes === all)
      request.destroy()
      await eventually('the job has failed', async () => (await ann.job(job.id)).state === 'failed')
      expect(await ann.job(job.id)).toMatchObject({ error: { code: 'client-left' } })
      expect(await ann.names()).toHaveLength(query ? 0 : 200)
      await nothingLeft()
    })
  }
})

describe('a job whose files are published together', () => {
  it('takes tars and single files, and shows all of them when it is finished', async () => {
    const ann = await shared.newCaller()
    const { id } = (await ann.post('/jobs', { kind: 'upload', name: 'in/', publish: 'together' })).json
    const headers = { 'Filejobs-Part-Of': id }
    expect((await send(ann, files(10, 'new'), { headers })).json.published).toMatchObject({ created: 10 })
    expect((await ann.put('in/single', 'single', headers)).status).toBe(201)
    expect(await ann.names()).toEqual([])
    expect((await ann.post(`/jobs/${id}/finish`)).json).toMatchObject({
      published: { files: 11 },
      job: { state: 'done' },
    })
    expect(await ann.names()).toHaveLength(11)
    expect((await ann.call('/files/in/single')).body.toString()).toBe('single')
  })

  it('that replaces keeps the unchanged files that the client lists, by name only', async () => {
    const ann = await shared.newCaller()
    await send(ann, files(3, 'old'))
    const { id } = (await ann.post('/jobs', { kind: 'upload', name: 'in/', publish: 'together', replace: true })).json
    expect((await ann.post(`/jobs/${id}/unchanged`, { count: 1, bytes: 3 })).status).toBe(400)
    await ann.post(`/jobs/${id}/unchanged`, { files: [{ name: 'in/f1', size: 5 }] })
    await send(ann, [{ name: 'new', content: 'x' }], { headers: { 'Filejobs-Part-Of': id } })
    expect((await ann.post(`/jobs/${id}/finish`)).json.published).toMatchObject({
      created: 1,
      unchanged: 1,
      removed: 2,
    })
    expect(await ann.names()).toEqual(['in/f1', 'in/new'])
  })

  it('publishes nothing if a file appears that it must not replace', async () => {
    const ann = await shared.newCaller()
    const { id } = (await ann.post('/jobs', { kind: 'upload', name: 'in/', publish: 'together' })).json
    await ann.put('in/a', 'staged', { 'Filejobs-Part-Of': id, 'If-None-Match': '*' })
    await ann.put('in/b', 'staged', { 'Filejobs-Part-Of': id })
    const { files } = (await ann.call('/jobs')).json.jobs[0]
    expect(files.done).toBe(2)
    const other = await ann.post('/files/other/move', { to: 'in/a' })
    expect(other.status).toBe(404)
    await ann.call('/files/in/a/', { method: 'PUT' })
    expect((await ann.post(`/jobs/${id}/finish`)).status).toBe(409)
    expect(await ann.names()).toEqual([])
    await nothingLeft()
  })
})

describe('a tar within a quota', () => {
  const quota = 100_000

  async function start() {
    const server = await startTestServer({ quota, maxFileSize: 60_000 })
    onTestFinished(() => server.close())
    return new Caller(server, await server.logIn('ann'))
  }
  const parts = (count: number, size: number) =>
    Array.from({ length: count }, (_, index) => ({ name: `f${index}`, content: Buffer.alloc(size, `${index}`) }))

  it('is stored while its files fit, one by one or together, also where it replaces files', async () => {
    const ann = await start()
    expect((await send(ann, parts(9, 10_000))).json.published).toMatchObject({ created: 9 })
    const changed = parts(9, 10_000).map(({ name }) => ({ name, content: Buffer.alloc(10_000, 'c') }))
    expect((await send(ann, changed.slice(0, 1))).json.published).toMatchObject({ replaced: 1 })
    expect((await send(ann, changed, replacing)).json.published).toMatchObject({ replaced: 9 })
    expect((await send(ann, parts(10, 10_000), replacing)).status).toBe(200)
  })

  it('is refused when it exceeds the quota, and keeps what fitted, or nothing if published together', async () => {
    const ann = await start()
    const answer = await send(ann, parts(300, 1000))
    expect(answer).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
    const names = await ann.names()
    expect(names.length).toBeLessThanOrEqual(100)
    await ann.call('/files/in/', { method: 'DELETE' })
    expect((await send(ann, parts(300, 1000), together)).status).toBe(413)
    expect(await ann.names()).toEqual([])
    expect((await send(ann, parts(90, 1000), together)).status).toBe(200)
  })

  it('is refused for a file that is too large, before its bytes', async () => {
    const ann = await start()
    const request = ann.open('/files/in/?extract=tar', { method: 'PUT' })
    const answer = answerOf(request)
    request.write(
      tarOf([...parts(1, 10), { name: 'bomb', pax: { size: '999999999999' }, content: 'x' }], { ends: false }),
    )
    expect(await answer).toMatchObject({ status: 413, json: { code: 'file-too-large' } })
    request.destroy()
  })
})

function files(count: number, content: string): TarPart[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `f${index}`,
    content: `${content} ${index}`.slice(0, content === 'old' ? 5 : 20),
  }))
}
