import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FilejobsError, type TransferProgress, type UploadInput } from '../../dist/client/filejobs.js'
import type { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { chunksOf, errorOf, largeBytes, libraryOf, patternOf } from '../helpers/library.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shared = shareServer()
const content = patternOf(largeBytes)

describe('an upload of the library', () => {
  const inputs: { what: string; input: UploadInput; bytes: number }[] = [
    { what: 'no bytes', input: new Uint8Array(), bytes: 0 },
    { what: 'a few bytes', input: Uint8Array.from(content.subarray(0, 5)), bytes: 5 },
    { what: 'an ArrayBuffer', input: Uint8Array.from(content.subarray(0, 5)).buffer, bytes: 5 },
    { what: 'a Blob of exactly one request', input: new Blob([content.subarray(0, 1024 ** 2)]), bytes: 1024 ** 2 },
    { what: 'a large Blob', input: new Blob([content]), bytes: largeBytes },
    { what: 'a stream without bytes', input: chunksOf(Buffer.alloc(0)), bytes: 0 },
    { what: 'a stream of exactly one request', input: chunksOf(content.subarray(0, 1024 ** 2)), bytes: 1024 ** 2 },
    { what: 'a stream of exactly two requests', input: chunksOf(content.subarray(0, 3 * 1024 ** 2)), bytes: 3145728 },
    { what: 'a stream of unknown length', input: chunksOf(content), bytes: largeBytes },
    { what: 'a ReadableStream', input: new Blob([content]).stream(), bytes: largeBytes },
  ]
  it.each(inputs)('stores $what', async ({ input, bytes }) => {
    const ann = await shared.newCaller()
    const progress: TransferProgress[] = []
    const record = await libraryOf(ann).upload(input, { name: 'in/a', onProgress: (now) => progress.push(now) })
    expect(record).toMatchObject({ name: 'in/a', size: bytes })
    expect((await ann.call('/files/in/a')).body.equals(content.subarray(0, bytes))).toBe(true)
    expect(progress.at(0)?.bytes).toBe(0)
    expect(progress.at(-1)).toMatchObject({ bytes, totalBytes: bytes })
    expect((await ann.job(progress.at(-1)!.jobId)).state).toBe('done')
  })

  it('reads a path or a file URL, and names the file after it', async () => {
    const ann = await shared.newCaller()
    const path = join(await temporaryFolder(), 'backup.iso')
    writeFileSync(path, content)
    expect(await libraryOf(ann).upload(path)).toMatchObject({ name: 'backup.iso', size: largeBytes })
    expect(await libraryOf(ann).upload(pathToFileURL(path), { name: 'b' })).toMatchObject({ name: 'b' })
    expect(await errorOf(libraryOf(ann).upload(`${path}.none`))).toMatchObject({ code: 'ENOENT' })
  })

  it('is refused by TypeErrors without a name, and for what is no content', async () => {
    const ann = await shared.newCaller()
    expect(await errorOf(libraryOf(ann).upload(new Uint8Array(1)))).toBeInstanceOf(TypeError)
    expect(await errorOf(libraryOf(ann).upload(7 as never, { name: 'a' }))).toBeInstanceOf(TypeError)
    expect(await errorOf(libraryOf(ann).upload(chunksOfText(), { name: 'a' }))).toBeInstanceOf(TypeError)
    expect(await ann.names()).toEqual([])
  })

  it('keeps an existing file with replace: false', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'first')
    for (const input of [new Uint8Array(1), new Blob([content])]) {
      const error = await errorOf(libraryOf(ann).upload(input, { name: 'a', replace: false }))
      expect(error).toMatchObject({ name: 'FilejobsError', code: 'precondition-failed', status: 412, receipt: null })
    }
    expect((await ann.call('/files/a')).body.toString()).toBe('first')
  })

  it.each([
    { what: 'a Blob', input: () => new Blob([content]) },
    { what: 'a stream', input: () => chunksOf(content) },
  ])('of $what goes on after connections broke', async ({ input }) => {
    const ann = await shared.newCaller()
    const proxy = await openCuttingProxy(ann.url, [1_500_000, 700_000])
    expect(await libraryOf(ann, proxy.url).upload(input(), { name: 'a' })).toMatchObject({ size: largeBytes })
    expect(proxy.cuts).toBe(2)
    expect((await ann.call('/files/a')).body.equals(content)).toBe(true)
  })

  it('gives up after its retries, with the code unreachable', async () => {
    const ann = await shared.newCaller()
    const proxy = await openCuttingProxy(ann.url)
    proxy.goDown()
    const error = await errorOf(libraryOf(ann, proxy.url).upload(new Uint8Array(1), { name: 'a', retries: 1 }))
    expect(error).toMatchObject({ code: 'unreachable', status: null, detail: expect.stringContaining(proxy.url) })
  })

  it('fails with job-running, or waits for its turn', async () => {
    const ann = await shared.newCaller()
    const library = libraryOf(ann)
    const stop = new AbortController()
    const first = errorOf(
      library.upload(new Blob([content]), { name: 'first', rateLimit: 500_000, signal: stop.signal }),
    )
    const running = await ann.findJob('state=running', (job) => job.bytes > 0)
    const refused = await errorOf(library.upload(new Uint8Array(1), { name: 'second' }))
    expect(refused).toMatchObject({ code: 'job-running', status: 409, problem: { job: { id: running.id } } })
    const waiting = library.upload(new Uint8Array(1), { name: 'third', waitSeconds: 100 })
    await ann.findJob('state=waiting')
    stop.abort()
    expect(await first).toMatchObject({ code: 'aborted' })
    expect(await waiting).toMatchObject({ name: 'third' })
  })

  it('reports wrong credentials, and what is no filejobs server', async () => {
    const ann = await shared.newCaller()
    const wrong = libraryOf({ ...ann, url: ann.url, token: 'wrong' } as Caller)
    expect(await errorOf(wrong.upload(new Uint8Array(1), { name: 'a' }))).toMatchObject({
      code: 'not-logged-in',
      status: 401,
    })
    const transport = async () => new Response('<html>', { status: 200 })
    const { Filejobs } = await import('../../dist/client/filejobs.js')
    const error = await errorOf(new Filejobs({ server: 'http://127.0.0.1', transport }).jobs.get('x'))
    expect(error).toBeInstanceOf(FilejobsError)
    expect(error).toMatchObject({ code: 'not-filejobs', detail: expect.stringContaining('is the URL right?') })
  })
})

async function* chunksOfText(): AsyncGenerator<Uint8Array> {
  yield 'text' as unknown as Uint8Array
}
