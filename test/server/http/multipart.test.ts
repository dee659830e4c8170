import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, answerOf, type Caller } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { startOutside } from '../../helpers/outside-program.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const shared = shareServer({ shutdownGraceMs: 0 })

afterEach(async () => {
  expect(await readdir(join(shared.server.dataFolder, 'partial'))).toEqual([])
})

describe('a form', () => {
  it('is stored file by file under the file names, byte for byte, and other fields are passed over', async () => {
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

  it('may have a hundred small files, that come all at once', async () => {
    const ann = await shared.newCaller()
    const parts = Array.from({ length: 100 }, (_, index) => file(`f${index}`, `content ${index}`))
    const { status, json } = await submit(ann, parts)
    expect({ status, files: json.files?.length }).toEqual({ status: 201, files: 100 })
    expect((await ann.call('/files/f99')).body.toString()).toBe('content 99')
  })

  it.skipIf(!hasProgram('curl'))('may come from curl -F, with several files and a pipe', async () => {
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

  it('replaces what was there, and is one job', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'old')
    const answer = await submit(ann, [file('a', 'new'), file('b', 'new')])
    expect(answer.status).toBe(201)
    expect((await ann.call('/files/a')).body.toString()).toBe('new')
    expect(await ann.job(answer.headers['filejobs-job'] as string)).toMatchObject({ state: 'done', bytes: 6 })
  })
})

describe('a form is refused, and nothing of it is published,', () => {
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
    ['headers of more than 16 KiB', [...good, `X-Long: ${'x'.repeat(17_000)}\r\n\r\n`], 'Malformed part header'],
    ['a part without headers that make sense', [...good, 'no colon here\r\n\r\nx'], 'Malformed part header'],
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
  ])('that ends %s', async (_where, text) => {
    const ann = await shared.newCaller()
    await refuses(ann, await submitText(ann, text), /malformed|no file in it/)
  })

  it.each([
    ['right after the headers of a file', begun],
    ['in a file', `${begun}content`],
    ['in a second file', `${begun}content\r\n${begun.replace('"a"', '"b"')}`],
  ])('whose sender leaves %s', async (_where, text) => {
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
    ['a preamble', ''],
    ['a field', `${boundary}Content-Disposition: form-data; name="f"\r\n\r\n`],
    ['an epilogue', `${begun}content\r\n--boundary--\r\n`],
    ['a part that is no form-data', `${boundary}Content-Disposition: attachment\r\n\r\n`],
  ])('with %s without end', async (_what, text) => {
    const ann = await shared.newCaller()
    const request = ann.open('/upload', { method: 'POST', headers: formType })
    const answer = answerOf(request)
    request.write(text)
    const piece = Buffer.alloc(1024 ** 2, 'x')
    let answered = false
    answer.finally(() => {
      answered = true
    })
    for (let sent = 0; !answered && sent < 2000; sent++) {
      if (!request.write(piece)) await Promise.race([once(request, 'drain'), answer])
    }
    await refuses(ann, await within('the refusal', answer), 'beside its files')
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

describe('names in a form', () => {
  it('that conflict with what is there are refused with it all', async () => {
    const ann = await shared.newCaller()
    await ann.put('folder/file', 'x')
    for (const name of ['folder', 'folder/file/below']) {
      const refused = await submit(ann, [file('first', '1'), file(name, '2')])
      expect(refused).toMatchObject({ status: 409, json: { code: 'name-conflict', name } })
    }
    expect(await ann.names()).toEqual(['folder/file'])
  })

  it.each([[['a', 'a/b']], [['a/b', 'a']], [['a/b/c', 'a/b']]])(
    'that conflict with each other are refused: %s',
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

  it('that cannot be published any more leave those before them, and the answer says which', async () => {
    const ann = await shared.newCaller()
    const request = ann.open('/upload', { method: 'POST', headers: formType })
    const answer = answerOf(request)
    const parts = ['a', 'b', 'c'].map((name) => file(name, name))
    request.write(Buffer.concat([formOf(parts).subarray(0, -'\r\n--boundary--\r\n'.length)]))
    await ann.findJob('state=running', (job) => job.bytes === 3)
    const folder = join(shared.server.dataFolder, 'uploads', 'user', (await ann.call('/auth/me')).json.username)
    await mkdir(join(folder, 'b'), { recursive: true })
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

function field(name: string, value: string): string {
  return `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`
}

function formOf(parts: readonly (string | Buffer)[]): Buffer {
  const pieces = parts.flatMap((part) => [Buffer.from('--boundary\r\n'), Buffer.from(part), Buffer.from('\r\n')])
  return Buffer.concat([...pieces, Buffer.from('--boundary--\r\n')])
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
