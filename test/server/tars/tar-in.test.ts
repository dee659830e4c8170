import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { type TarPart, tarOf } from '../../helpers/tars.js'

const shared = shareServer()
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
const lines = { Accept: 'application/x-ndjson' }

function send(caller: Caller, parts: TarPart[], { headers = {}, to = 'in/', query = 'extract=tar' } = {}) {
  return caller.call(`/files/${to}?${query}`, { method: 'PUT', body: tarOf(parts), headers })
}

describe('a tar', () => {
  it('is stored file by file, small ones and large ones, as one job', async () => {
    const ann = await shared.newCaller()
    const contents = new Map<string, Buffer>()
    for (let index = 0; index < 2000; index++) contents.set(`d${index % 20}/f${index}.txt`, randomBytes(index))
    for (const size of [65_536, 65_537, 3_000_000]) contents.set(`large/${size}`, randomBytes(size))
    const parts = [...contents].map(([name, content]) => ({ name: `./${name}`, content }))
    const { status, json, headers } = await send(ann, [
      { name: './', type: '5' },
      { name: './d1/', type: '5' },
      ...parts,
    ])
    const bytes = parts.reduce((sum, { content }) => sum + content.length, 0)
    expect(status).toBe(200)
    expect(json.published).toMatchObject({ files: 2003, created: 2003, replaced: 0, unchanged: 0, failed: 0, bytes })
    expect(json.job).toMatchObject({
      id: headers['filejobs-job'],
      state: 'done',
      file: 'in/',
      bytes,
      files: { done: 2003 },
    })
    expect((await ann.call('/jobs')).json.jobs).toHaveLength(1)
    for (const [name, content] of [...contents].filter((_, index) => index % 100 === 0 || index >= 2000)) {
      const { body, headers } = await ann.call(`/files/in/${name}`)
      expect(body.equals(content)).toBe(true)
      expect(headers['content-type']).toBe(name.endsWith('.txt') ? 'text/plain' : 'application/octet-stream')
    }
    const listed: { name: string; sha256: string }[] = []
    for (let cursor = ''; ; ) {
      const page = (await ann.call(`/files?limit=1000${cursor}`)).json
      listed.push(...page.files)
      if (!page.next) break
      cursor = `&cursor=${page.next}`
    }
    const digests = new Map(listed.map((file) => [file.name, file.sha256]))
    expect(digests).toEqual(new Map([...contents].map(([name, content]) => [`in/${name}`, sha256(content)])))
  })

  it('that is sent again changes nothing, and replaces what differs', async () => {
    const ann = await shared.newCaller()
    const large = randomBytes(100_000)
    const parts = (small: string): TarPart[] => [
      { name: 'same', content: 'same' },
      { name: 'large', content: large, pax: { 'FILEJOBS.sha256': sha256(large) } },
      { name: 'small', content: small },
    ]
    expect((await send(ann, parts('old'))).json.published).toMatchObject({ created: 3 })
    const before = (await ann.call('/files/in/large')).headers
    const again = await send(ann, parts('new'))
    expect(again.json.published).toMatchObject({ created: 0, replaced: 1, unchanged: 2, files: 1, bytes: 3 })
    expect((await ann.call('/files/in/large')).headers['last-modified']).toBe(before['last-modified'])
    expect((await ann.call('/files/in/small')).body.toString()).toBe('new')
  })

  it('has names of GNU and pax headers, in UTF-8 and normalized, and goes to the top of the space', async () => {
    const ann = await shared.newCaller()
    const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`
    const parts: TarPart[] = [
      { name: '././@LongLink', type: 'L', content: `${long}\0` },
      { name: 'short', content: '1' },
      { name: 'short', content: '2', pax: { path: 'pax/\u00e4\u{1f600}' } },
      { name: 'e\u0301', content: '3' },
      { name: 'old', type: '\0', content: '4' },
    ]
    expect((await send(ann, parts, { to: '' })).status).toBe(200)
    expect((await ann.names()).sort()).toEqual([long, 'old', 'pax/\u00e4\u{1f600}', '\u00e9'].sort())
  })

  it('creates its empty folders, and keeps no others', async () => {
    const ann = await shared.newCaller()
    const folders = ['./', 'empty/', 'outer/', 'outer/inner/', 'full/'].map((name) => ({ name, type: '5' }))
    expect((await send(ann, [...folders, { name: 'full/file', content: 'x' }])).status).toBe(200)
    await ann.call('/files/in/full/file', { method: 'DELETE' })
    const { json } = await ann.call('/files?delimiter=/&prefix=in/')
    expect(json.folders.map(({ name }: { name: string }) => name)).toEqual(['in/empty/', 'in/outer/'])
  })

  it('with an empty folder whose name is a file stores everything else', async () => {
    const ann = await shared.newCaller()
    await ann.put('in/taken', 'x')
    const names = ['taken/', 'taken/below/', 'good/']
    const { status, body } = await send(
      ann,
      names.map((name) => ({ name, type: '5' })),
      { headers: lines },
    )
    const said = linesOf(body)
    expect(status).toBe(200)
    expect(said).toMatchObject([
      { name: 'in/taken/below/', status: 'failed', error: { code: 'name-conflict' } },
      { job: { state: 'done', files: { failed: 1 } }, published: { failed: 1 } },
    ])
    const { json } = await ann.call('/files?delimiter=/&prefix=in/')
    expect(json.folders.map(({ name }: { name: string }) => name)).toEqual(['in/good/'])
  })

  it('with nothing in it is a job without files', async () => {
    const ann = await shared.newCaller()
    expect((await send(ann, [])).json).toMatchObject({ job: { state: 'done' }, published: { files: 0 } })
  })

  it('with wrong digests, taken names or false preconditions fails for these files alone', async () => {
    const ann = await shared.newCaller()
    await ann.put('in/file', 'old')
    const large = randomBytes(70_000)
    const wrong = { 'FILEJOBS.sha256': sha256('other') }
    const parts: TarPart[] = [
      { name: 'small', content: 'x', pax: wrong },
      { name: 'large', content: large, pax: wrong },
      { name: 'file/below', content: 'x' },
      { name: 'good', content: 'x', pax: { 'FILEJOBS.sha256': sha256('x') } },
    ]
    const { status, body } = await send(ann, parts, { headers: lines })
    const said = linesOf(body)
    expect(status).toBe(200)
    expect(said.at(-1)).toMatchObject({
      job: { state: 'done', files: { failed: 3 } },
      published: { created: 1, failed: 3 },
    })
    const codes = Object.fromEntries(said.slice(0, -1).map(({ name, status, error }) => [name, error?.code ?? status]))
    expect(codes).toEqual({
      'in/small': 'digest-mismatch',
      'in/large': 'digest-mismatch',
      'in/file/below': 'name-conflict',
      'in/good': 'new',
    })
    const taken = await send(
      ann,
      [
        { name: 'file', content: 'new' },
        { name: 'new', content: '' },
      ],
      {
        headers: { 'If-None-Match': '*' },
      },
    )
    expect(taken.json).toMatchObject({
      job: { files: { failures: [{ name: 'in/file', code: 'precondition-failed' }] } },
      published: { created: 1, failed: 1 },
    })
    expect(await ann.names()).toEqual(['in/file', 'in/good', 'in/new'])
    expect((await ann.call('/files/in/file')).body.toString()).toBe('old')
  })

  it('that is refused keeps all files that came whole before, and acknowledges them', async () => {
    const ann = await shared.newCaller()
    const large = { name: 'large', content: randomBytes(70_000) }
    const parts = [
      ...files(130),
      large,
      ...files(3, 'more'),
      { name: 'link', type: '2', link: '/etc' },
      ...files(9, 'no'),
    ]
    const { status, body } = await send(ann, parts, { headers: lines })
    const said = linesOf(body)
    expect(status).toBe(200)
    expect(said.at(-1)).toMatchObject({ error: { code: 'invalid-request', name: 'link' } })
    const names = said.slice(0, -1).map(({ name }) => name)
    expect(names.sort()).toEqual(
      parts
        .slice(0, 134)
        .map(({ name }) => `in/${name}`)
        .sort(),
    )
    expect((await ann.names()).sort()).toEqual(names)
    expect((await ann.call('/jobs')).json.jobs[0]).toMatchObject({ state: 'failed', files: { done: 134, failed: 0 } })
  })

  it('is acknowledged line by line while it arrives, and its end is a line', async () => {
    const ann = await shared.newCaller()
    const request = ann.open('/files/in/?extract=tar', { method: 'POST', headers: lines })
    const said: string[] = []
    const ended = new Promise((resolve) => {
      request.on('response', (response) => response.on('data', (chunk) => said.push(String(chunk))).on('end', resolve))
    })
    request.write(tarOf(files(300), { ends: false }))
    await eventually('two batches are acknowledged', () => said.join('').split('\n').length > 256)
    expect(await ann.names()).toHaveLength(256)
    request.end(
      tarOf([
        { name: 'last', content: 'x' },
        { name: '../evil', content: 'x' },
      ]),
    )
    await ended
    const last = JSON.parse(said.join('').trim().split('\n').at(-1)!)
    expect(last).toMatchObject({ error: { code: 'invalid-request', status: 400, name: '../evil' } })
    expect((await ann.call('/jobs')).json.jobs[0]).toMatchObject({
      state: 'failed',
      error: { code: 'invalid-request' },
    })
  })

  it('is part of a job of many files, and takes its prefix from its own path', async () => {
    const ann = await shared.newCaller()
    const opened = await ann.post('/jobs', { kind: 'upload', name: 'in/' })
    const headers = { 'Filejobs-Part-Of': opened.json.id }
    expect((await send(ann, files(3), { headers, to: 'in/a/' })).json).toMatchObject({ published: { created: 3 } })
    expect((await send(ann, files(3), { headers, to: 'out/' })).json).toMatchObject({ code: 'not-joinable' })
    expect((await send(ann, files(3), { headers, query: 'extract=tar&publish=together' })).status).toBe(400)
    const finished = await ann.post(`/jobs/${opened.json.id}/finish`)
    expect(finished.json).toMatchObject({ job: { state: 'done' }, published: { files: 3 } })
    expect(await ann.names()).toEqual(['in/a/f0', 'in/a/f1', 'in/a/f2'])
  })

  it('needs a folder in its path', async () => {
    const ann = await shared.newCaller()
    expect(await send(ann, files(1), { to: 'in' })).toMatchObject({ status: 400, json: { field: 'name' } })
    expect(await send(ann, files(1), { query: 'extract=tar&replace=true' })).toMatchObject({ status: 400 })
  })
})

function files(count: number, start = 'f'): TarPart[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${start}${index}`, content: `content ${index}` }))
}

/** The lines of a response that acknowledges files as it goes. */
function linesOf(body: Buffer) {
  const text = body.toString().trim().split('\n')
  return text.map((line) => JSON.parse(line))
}
