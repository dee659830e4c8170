import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Filejobs, type Transport } from '../../dist/client/filejobs.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { errorOf, largeBytes, libraryOf, patternOf } from '../helpers/library.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shared = shareServer()
const content = patternOf(largeBytes)

describe('an export of the library', () => {
  it('is a stream, with the size and digest of the file', async () => {
    const ann = await shared.newCaller()
    const { json } = await ann.put('a.txt', content)
    const exported = await libraryOf(ann).export('a.txt')
    expect(exported).toMatchObject({ name: 'a.txt', size: largeBytes, sha256: json.sha256, type: 'text/plain' })
    expect(Buffer.from(await new Response(exported.stream).arrayBuffer()).equals(content)).toBe(true)
    expect((await ann.job(exported.jobId)).state).toBe('done')
  })

  it('writes a path only when it is whole', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const folder = await temporaryFolder()
    const to = join(folder, 'copy')
    writeFileSync(to, 'before')
    expect(await libraryOf(ann).export('a', { to })).toMatchObject({ path: to, bytes: largeBytes })
    expect(readFileSync(to).equals(content)).toBe(true)
    expect(await errorOf(libraryOf(ann).export('none', { to }))).toMatchObject({ code: 'file-not-found', status: 404 })
    expect(await errorOf(libraryOf(ann).export('a', { to: join(folder, 'no/a') }))).toMatchObject({ code: 'ENOENT' })
    expect(readdirSync(folder)).toEqual(['copy'])
  })

  it('goes on after its connection broke', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const proxy = await openCuttingProxy(ann.url)
    const { stream } = await libraryOf(ann, proxy.url).export('a')
    const reader = stream.getReader()
    const parts: Uint8Array[] = []
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      parts.push(value)
      if (parts.length === 3) proxy.cutAll()
    }
    expect(Buffer.concat(parts).equals(content)).toBe(true)
  })

  it('fails if the file was replaced while its connection was broken', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const proxy = await openCuttingProxy(ann.url)
    const { stream } = await libraryOf(ann, proxy.url).export('a')
    const reader = stream.getReader()
    await reader.read()
    await ann.put('a', content.subarray(1))
    proxy.cutAll()
    const drained = async () => {
      while (!(await reader.read()).done);
    }
    expect(await errorOf(drained())).toMatchObject({ code: 'file-changed' })
  })

  it('detects damaged bytes', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'good')
    const transport: Transport = async (url, request) => {
      const response = await fetch(url, request)
      return { status: response.status, headers: response.headers, body: damaged(), text: () => response.text() }
    }
    const { stream } = await new Filejobs({ server: ann.url, token: ann.token, transport }).export('a')
    expect(await errorOf(new Response(stream).text())).toMatchObject({ code: 'digest-mismatch' })
  })

  it('stops its job when nobody reads on', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const { stream, jobId } = await libraryOf(ann).export('a', { rateLimit: 500_000 })
    for await (const _ of stream) break
    await eventually('it is stopped', async () => (await ann.job(jobId)).state === 'stopped')
  })

  it('of a folder is an archive', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/a', 'sand')
    const { stream, size } = await libraryOf(ann).export('photos/')
    expect(size).toBeNull()
    expect(await new Response(stream).text()).toContain('sand')
    const zip = await libraryOf(ann).export('photos/', { archive: 'zip' })
    expect((await new Response(zip.stream).text()).slice(0, 2)).toBe('PK')
  })
})

async function* damaged(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('evil')
}
