import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, answerOf, type Caller } from '../../../helpers/calls.js'
import { eventually, within } from '../../../helpers/eventually.js'
import { startOutside } from '../../../helpers/outside-program.js'
import { connectTo, head } from '../../../helpers/raw-connection.js'
import { shareServer } from '../../../helpers/shared-server.js'
import { partialNames } from '../../../helpers/stored-state.js'
import { hasProgram } from '../../../helpers/system-programs.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

const shared = shareServer({ shutdownGraceMs: 0 })

afterEach(async () => {
  expect(await partialNames(shared.server.dataFolder)).toEqual([])
})

describe('a form upload', () => {
  it('is stored file by file under the file names, byte for byte, ignoring other fields', async () => {
    const ann = await shared.newCaller()
    const tricky = Buffer.concat([
      Buffer.from('\r\n--bound\r\n--boundar\r\n\r\n--'),
      randomBytes(300_000),
      Buffer.from('\r\n-'),
    ])
    const { status, json } = await submit(ann, [
      field('title', 'A title'),
      file('dir/tricky.bin', tricky, 'application/x-tricky'),
      file('empty.txt', ''),
      field('more', 'x'.repeat(1000)),
      file('größe 日本.txt', 'unicode'),
    ])
    expect(status).toBe(201)
    expect(json.files.map(({ name, size, sha256 }: Stored) => ({ name, size, sha256 }))).toEqual([
      { name: 'dir/tricky.bin', size: tricky.length, sha256: sha256(tricky) },
      { name: 'empty.txt', size: 0, sha256: sha256('') },
      { name: 'größe 日本.txt', size: 7, sha256: sha256('unicode') },
    ])
    const read = await ann.call('/files/dir/tricky.bin')
    expect(read.body.equals(tricky)).toBe(true)
    expect(read.headers['content-type']).toBe('application/x-tricky')
  })

  it('accepts a hundred small files at once', async () => {
    const ann = await shared.newCaller()
    const parts = Array.from({ length: 100 }, (_, index) => file(`f${index}`, `content ${index}`))
    const { status, json } = await submit(ann, parts)
    expect({ status, files: json.files?.length }).toEqual({ status: 201, files: 100 })
    expect((await ann.call('/files/f99')).body.toString()).toBe('content 99')
  })

  it.skipIf(!hasProgram('curl'))('by curl -F accepts several files and a pipe', async () => {
    const ann = await shared.newCaller()
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'one'), 'first')
    await writeFile(join(folder, 'two'), 'second')
    const files = ['-F', 'f=@one', '-F', 'f=@two', '-F', 'f=@-;filename=three']
    const auth = ['-H', `Authorization: Bearer ${ann.token}`]
    const curl = startOutside('curl', ['-sS', ...auth, ...files, `${ann.url}/upload`], { cwd: folder })
    curl.child.stdin?.end('third')
    const { code, stdout } = await curl.ended
    expect({ code, message: JSON.parse(stdout).message }).toEqual({ code: 0, message: 'Uploaded one, two, three.' })
    expect((await ann.call('/files/three')).body.toString()).toBe('third')
  })

  it('replaces existing files, as one job', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'old')
    const answer = await submit(ann, [file('a', 'new'), file('b', 'new')])
    expect(answer.status).toBe(201)
    expect((await ann.call('/files/a')).body.toString()).toBe('new')
    expect(await ann.job(answer.headers['filejobs-job'] as string)).toMatchObject({ state: 'done', bytes: 6 })
  })
})

describe('a form is rejected, and nothing of it is published,', () => {
  const boundary = '--boundary\r\n'
  const begun = `${boundary}Content-Disposition: form-data; name="f"; filename="a"\r\n\r\n`
  const good = [file('good', 'good')]

  it.each([
    ['two files of one name', [...good, file('a', '1'), file('a', '2')], 'two files named'],
    [
      'a file without a name',
      [...good, 'Content-Disposition: form-data; name="f"\r\nContent-Type: application/octet-stream\r\n\r\nx'],
      'no file name',
    ],
    [
      'a file with an empty name',
      [
        ...good,
        'Content-Disposition: form-data; name="f"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\nx',
      ],
      'no file name',
    ],
    ['a name that leads out', [...good, file('../../x', '1')], 'segment "." or ".."'],
    [
      'a name that is not UTF-8',
      [...good, file(Buffer.from('a\xff', 'latin1').toString('latin1'), '1', undefined, 'latin1')],
      'UTF-8',
    ],
    ['no file in it', [field('a', 'b')], 'no file in it'],
    ['10,000 parts', [...good, ...Array.from({ length: 9_999 }, () => field('a', 'b'))], 'more than 1000 parts'],
    ['1,001 parts', [...good, ...Array.from({ length: 1_000 }, () => field('a', 'b'))], 'more than 1000 parts'],
    ['a field of more than 64 KiB', [...good, field('a', 'b'.repeat(65_537))], 'a field of more than 65536 bytes'],
    [
      'headers of more than 16 KiB',
      [...good, `X-Long: ${'x'.repeat(17_000)}\r\n\r\n`],
      'headers of more than 16384 bytes',
    ],
    ['a part without headers that make sense', [...good, 'no colon here\r\n\r\nx'], 'malformed header'],
  ])('with %s', async (_what, parts, message) => {
    const ann = await shared.newCaller()
    await refuses(ann, await submit(ann, parts as (string | Buffer)[]), message as string)
  })

  it.each([
    ['in the headers of a part', '--boundary\r\nContent-Disposition: form-data; na'],
    ['right after the headers of a file', begun],
    ['in a file', `${begun}content`],
    ['in its last boundary', `${begun}content\r\n--boundary`],
    ['before it has begun', ''],
    ['before its first boundary', 'preamble'],
  ])('if it ends %s', async (_where, text) => {
    const ann = await shared.newCaller()
    await refuses(ann, await submitText(ann, text), /malformed|no file in it/)
  })

  it.each([
    ['right after the headers of a file', begun],
    ['in a file', `${begun}content`],
    ['in a second file', `${begun}content\r\n${begun.replace('"a"', '"b"')}`],
  ])('if its client disconnects %s', async (_where, text) => {
    const ann = await shared.newCaller()
    const id = randomUUID()
    const connection = await connectTo(ann.url)
    connection.send(head('POST /upload', ann.token, { ...formType, 'Content-Length': 1000, 'Filejobs-Job': id }) + text)
    await ann.findJob('kind=upload', (job) => job.id === id)
    connection.reset()
    await eventually('it has failed', async () => (await ann.job(id)).error?.code === 'client-left')
    expect(await ann.names()).toEqual([])
  })

  it.each([
    ['preamble', '', 'before its first boundary'],
    ['field', `${boundary}Content-Disposition: form-data; name="f"\r\n\r\n`, 'a field of more than 65536 bytes'],
    ['epilogue', `${begun}content\r\n--boundary--\r\n`, 'behind its last boundary'],
    ['part other than form-data', `${boundary}Content-Disposition: attachment\r\n\r\n`, '"attachment"'],
  ])('with an endless %s', async (_what, text, message) => {
    const ann = await shared.newCaller()
    const request = ann.open('/upload', { method: 'POST', headers: formType })
    const answer = answerOf(request)
    request.write(text)
    const chunk = Buffer.alloc(1024 ** 2, 'x')
    let answered = false
    answer.finally(() => {
      answered = true
    })
    for (let sent = 0; !answered && sent < 2000; sent++) {
      if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answer])
    }
    await refuses(ann, await within('the refusal', answer), message)
    request.destroy()
  })

  it.each([
    ['no boundary', 'multipart/form-data', 400],
    ['an empty boundary', 'multipart/form-data; boundary=', 400],
    ['another type', 'application/json', 415],
    ['another multipart type', 'multipart/mixed; boundary=boundary', 415],
    ['no type', undefined, 415],
  ])('with %s', async (_what, type, status) => {
    const ann = await shared.newCaller()
    const headers = type === undefined ? {} : { 'Content-Type': type }
    const refused = await ann.call('/upload', { method: 'POST', headers, body: `${begun}content\r\n--boundary--\r\n` })
    expect(refused.status).toBe(status)
    expect(await ann.names()).toEqual([])
  })

  it('from an account that may not upload, before its body is read', async () => {
    const client = await shared.newCaller('client')
    const connection = await connectTo(client.url)
    connection.send(head('POST /upload', client.token, { ...formType, 'Content-Length': 10 ** 9 }))
    expect((await connection.says(/^HTTP\/1.1 (\d+).*"code":"([a-z-]+)"/s)).slice(1)).toEqual(['403', 'not-allowed'])
  })

  async function refuses(caller: Caller, answer: Answer, message: string | RegExp) {
    expect(answer.json).toMatchObject({ status: 400, code: 'invalid-request', message: expect.stringMatching(message) })
    expect(answer.status).toBe(400)
    expect(await caller.names()).toEqual([])
    expect((await caller.put('next', 'next')).status).toBe(201)
  }
})

describe('a part that cannot be stored rejects the whole form, and is named in the error:', () => {
  const cases: [string, string, string, number?][] = [
    ['a quote in its name', 'Content-Disposition: form-data; name="f"; filename="6" pipe.txt"', 'cannot be read'],
    ['blanks in its name without quotes', 'Content-Disposition: form-data; name=f; filename=a b', 'cannot be read'],
    ['a quote that is never closed', 'Content-Disposition: form-data; name="f"; filename="a\\"', 'cannot be read'],
    ['an attachment', 'Content-Disposition: attachment; name="f"; filename="a"', '"attachment"'],
    ['no disposition', 'Content-Type: text/plain', 'no Content-Disposition'],
    ['no headers at all', '', 'no Content-Disposition'],
    ['two dispositions', `${named('a')}\r\n${named('b')}`, 'twice'],
    ['two names', `${named('a')}; filename="b"`, 'twice'],
    ['a bad filename*', `${named('a')}; filename*=UTF-8''%zz`, 'filename*'],
    ['a filename* that is not UTF-8', `${named('a')}; filename*=UTF-8''%ff`, 'filename*'],
    ['a filename* of another charset', `${named('a')}; filename*=koi8-r''%c1`, 'filename*'],
    ['a name in continuations', 'Content-Disposition: form-data; name="f"; filename*0="a"', 'continuation'],
    [
      'parts of its own',
      'Content-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=x',
      'one by one',
    ],
    ['an empty name', named(''), 'no file name'],
    ['an empty name and a type', `${named('')}\r\nContent-Type: text/plain`, 'no file name'],
    ['a line end of LF alone', `${named('a')}\nContent-Type: text/plain`, 'malformed header'],
    ['a blank before the colon', 'Content-Disposition : form-data; name="f"; filename="a"', 'malformed header'],
    ['a NUL', `${named('a\0b')}`, 'malformed header'],
    ['another length than it declares', `${named('a')}\r\nContent-Length: 4`, 'Content-Length is 4'],
    ['a transfer encoding', `${named('a')}\r\nContent-Transfer-Encoding: base64`, '"base64"', 415],
    ['a content coding', `${named('a')}\r\nContent-Encoding: gzip`, '"gzip"', 415],
  ]

  it.each(cases)('%s', async (_what, headers, message, status = 400) => {
    const ann = await shared.newCaller()
    const refused = await submit(ann, [file('good', 'good'), `${headers}${headers && '\r\n'}\r\nabc`])
    expect(refused).toMatchObject({ status, json: { part: 2, message: expect.stringMatching(/its part 2\b/) } })
    expect(refused.json.message).toContain(message)
    expect(await ann.names()).toEqual([])
  })

  it.each([
    ['a boundary whose line ends in LF', '\r\n--boundary\n'],
    ['text after a boundary', '\r\n--boundary x\r\n'],
    ['text after the last boundary', '\r\n--boundary--x'],
  ])('%s', async (_what, line) => {
    const ann = await shared.newCaller()
    const refused = await submit(ann, [file('good', 'good'), `${named('a')}\r\n\r\nabc${line}def`])
    expect(refused).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    expect(await ann.names()).toEqual([])
  })

  it('a damaged first boundary, which would make its file a preamble', async () => {
    const ann = await shared.newCaller()
    const body = formOf([file('a', '1'), file('b', '2')])
      .toString()
      .replace('--boundary', '--boundry')
    expect(await submitText(ann, body)).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    expect(await ann.names()).toEqual([])
  })
})

describe('a form with invalid headers', () => {
  it.each([
    ['no boundary', { 'Content-Type': 'multipart/form-data' }],
    ['a digest that cannot be checked', { ...formType, 'Content-Digest': 'md5=:1B2M2Y8AsgTpgAmY7PhCfg==:' }],
  ])('is rejected before its body is sent, without a job: %s', async (_what, headers) => {
    const ann = await shared.newCaller()
    const request = ann.open('/upload', { method: 'POST', headers: { ...headers, Expect: '100-continue' } })
    let isInvited = false
    request.on('continue', () => {
      isInvited = true
      request.end()
    })
    request.flushHeaders()
    expect(await answerOf(request)).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    expect(isInvited).toBe(false)
    expect((await ann.call('/jobs')).json.jobs).toEqual([])
    request.destroy()
  })
})

it('a file with an invalid Content-Type is rejected; one in Latin-1 is kept', async () => {
  const ann = await shared.newCaller()
  const ofType = (type: string) => `${named('a')}\r\nContent-Type: ${type}\r\n\r\nabc`
  expect(await submit(ann, [ofType('text/plain; name="日"')])).toMatchObject({ status: 400, json: { part: 1 } })
  const { json } = await submit(ann, [ofType('text/plain; name="ü"')])
  expect(json.files).toMatchObject([{ type: 'text/plain; name="ü"', sha256: sha256('abc') }])
})

describe('an empty file input', () => {
  const empty = `${named('')}\r\nContent-Type: application/octet-stream\r\n\r\n`

  it('is ignored beside a file, with or without a type', async () => {
    const ann = await shared.newCaller()
    const { status, json } = await submit(ann, [empty, file('good', 'good'), `${named('')}\r\n\r\n`])
    expect({ status, names: json.files.map(({ name }: Stored) => name) }).toEqual({ status: 201, names: ['good'] })
  })

  it('alone is rejected as a form without a file', async () => {
    const ann = await shared.newCaller()
    expect(await submit(ann, [empty])).toMatchObject({ status: 400, json: { message: 'The form has no file in it.' } })
  })
})

describe('a line of a file that starts with a prefix of the boundary', () => {
  it('is kept as content, wherever the chunks are split', async () => {
    const ann = await shared.newCaller()
    const content = '12345\r\n--boundary67890 and more\r\n--boundary-\r\n--boundar'
    const body = formOf([file('a', content), file('b', 'x')])
    for (const size of [body.length, 1, 13]) {
      const request = ann.open('/upload', { method: 'POST', headers: formType })
      const answer = answerOf(request)
      for (let at = 0; at < body.length; at += size) request.write(body.subarray(at, at + size))
      request.end()
      expect((await answer).json.files).toMatchObject([{ size: content.length }, { size: 1 }])
      expect((await ann.call('/files/a')).body.toString()).toBe(content)
    }
  })
})

describe('file names in a form', () => {
  it('that conflict with existing files reject the whole form', async () => {
    const ann = await shared.newCaller()
    await ann.put('folder/file', 'x')
    for (const name of ['folder', 'folder/file/below']) {
      const refused = await submit(ann, [file('first', '1'), file(name, '2')])
      expect(refused).toMatchObject({ status: 409, json: { code: 'name-conflict', name } })
    }
    expect(await ann.names()).toEqual(['folder/file'])
  })

  it.each([[['a', 'a/b']], [['a/b', 'a']], [['a/b/c', 'a/b']]])(
    'that conflict with each other are rejected: %s',
    async (names) => {
      const ann = await shared.newCaller()
      const refused = await submit(
        ann,
        names.map((name) => file(name, 'x')),
      )
      expect(refused).toMatchObject({ status: 409, json: { code: 'name-conflict' } })
      expect(await ann.names()).toEqual([])
    },
  )

  it('that can no longer be published leave the files before them, as the response reports', async () => {
    const ann = await shared.newCaller()
    const request = ann.open('/upload', { method: 'POST', headers: formType })
    const answer = answerOf(request)
    const parts = ['a', 'b', 'c'].map((name) => file(name, name))
    request.write(Buffer.concat([formOf(parts).subarray(0, -'\r\n--boundary--\r\n'.length)]))
    await ann.findJob('state=running', (job) => job.bytes === 3)
    await ann.call('/files/b/', { method: 'PUT' })
    request.end('\r\n--boundary--\r\n')
    expect(await answer).toMatchObject({
      status: 409,
      json: { code: 'name-conflict', published: ['a'], failed: ['b', 'c'] },
    })
    expect(await ann.names()).toEqual(['a'])
  })
})

interface Stored {
  name: string
  size: number
  sha256: string
}

const formType = { 'Content-Type': 'multipart/form-data; boundary=boundary' }

function file(name: string, content: string | Buffer, type?: string, encoding: BufferEncoding = 'utf8'): Buffer {
  const lines = [
    `Content-Disposition: form-data; name="f"; filename="${name}"`,
    ...(type ? [`Content-Type: ${type}`] : []),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, encoding), Buffer.from(content)])
}

/** The disposition of a file, verbatim. */
function named(name: string): string {
  return `Content-Disposition: form-data; name="f"; filename="${name}"`
}

function field(name: string, value: string): string {
  return `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`
}

function formOf(parts: readonly (string | Buffer)[]): Buffer {
  const encoded = parts.flatMap((part) => [Buffer.from('--boundary\r\n'), Buffer.from(part), Buffer.from('\r\n')])
  return Buffer.concat([...encoded, Buffer.from('--boundary--\r\n')])
}

function submit(caller: Caller, parts: readonly (string | Buffer)[]): Promise<Answer> {
  return submitText(caller, formOf(parts))
}

function submitText(caller: Caller, body: string | Buffer): Promise<Answer> {
  return caller.call('/upload', { method: 'POST', headers: formType, body })
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
