import { describe, expect, it } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { betweenRequests, checksumOf, idOf, reprDigestOf, sha256Of, Tus } from '../../helpers/tus.js'

const shared = shareServer({ keepPartialMs: 3_600_000, shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())
const partials = async (path: string) => {
  const names = await partialNames(shared.server.dataFolder)
  return names.filter((name) => name.startsWith(idOf(path)))
}

describe('tus expiration', () => {
  it('is reported by Upload-Expires, an HTTP date, at the creation and with every PATCH of an upload that expires', async () => {
    const tus = await newTus()
    const { headers } = await tus.create()
    const path = headers.location!
    const answers = [headers, (await tus.patch(path, 0, '01234')).headers, (await tus.head(path)).headers]
    // One that no request came for since its creation is kept for ten minutes.
    for (const [index, seconds] of [600, 3600, 3600].entries()) {
      const expires = answers[index]!['upload-expires']
      expect(expires).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
      const inSeconds = (Date.parse(String(expires)) - Date.now()) / 1000
      expect(inSeconds).toBeGreaterThan(seconds - 100)
      expect(inSeconds).toBeLessThanOrEqual(seconds)
    }
    expect((await tus.patch(path, 5, '56789')).headers).not.toHaveProperty('upload-expires')
  })
})

describe('a tus checksum', () => {
  it.each(['sha1', 'sha256', 'sha512'])('by %s that matches is answered 204', async (algorithm) => {
    const tus = await newTus()
    const path = await tus.begin()
    const first = await tus.patch(path, 0, '01234', { 'Upload-Checksum': checksumOf(algorithm, '01234') })
    expect(first).toMatchObject({ status: 204, headers: { 'upload-offset': '5' } })
    await tus.patch(path, 5, '56789', { 'Upload-Checksum': checksumOf(algorithm, '56789') })
    expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
  })

  it.each(['sha1', 'sha256', 'sha512'])(
    'by %s that does not match is answered 460, and the bytes are discarded',
    async (algorithm) => {
      const tus = await newTus()
      const path = await tus.begin()
      await tus.patch(path, 0, '012')
      const refused = await tus.patch(path, 3, '34567', { 'Upload-Checksum': checksumOf(algorithm, 'other') })
      expect(refused).toMatchObject({ status: 460, json: { code: 'checksum-mismatch' } })
      expect(await tus.offset(path)).toBe(3)
      const job = await tus.caller.job(idOf(path))
      expect(betweenRequests).toContain(job.state)
      expect(job.bytes).toBe(3)
      await tus.patch(path, 3, '3456789')
      expect((await tus.caller.call('/files/file.bin')).body.toString()).toBe('0123456789')
    },
  )

  it('that does not match for the last bytes publishes nothing', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const refused = await tus.patch(path, 0, '0123456789', { 'Upload-Checksum': checksumOf('sha1', 'other') })
    expect(refused.status).toBe(460)
    expect(await tus.caller.names()).toEqual([])
    expect((await tus.patch(path, 0, '0123456789')).status).toBe(204)
  })

  it('that could not be verified, because the connection broke, discards the received bytes', async () => {
    const tus = await newTus()
    const path = await tus.begin({ length: 1_000_000 })
    await tus.patch(path, 0, '012')
    const headers = { 'Content-Length': '999997', 'Upload-Checksum': checksumOf('sha1', 'x') }
    const held = await tus.hold(path, 3, Buffer.alloc(200_000), headers)
    held.request.destroy()
    await eventually('it is interrupted', async () => (await tus.caller.job(idOf(path))).state === 'interrupted')
    expect(await tus.offset(path)).toBe(3)
  })

  it('of an unknown algorithm is answered 400', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    const values = ['md5 XUFAKrxLKna5cZ2REBfFkg==', 'SHA1 x', 'sha1', 'sha1 ', 'sha1 !!!', 'sha1 aGVsbG8=', '']
    for (const value of values) {
      const refused = await tus.patch(path, 0, 'x', { 'Upload-Checksum': value })
      expect(refused, value).toMatchObject({ status: 400, json: { field: 'Upload-Checksum' } })
    }
    expect(await tus.offset(path)).toBe(0)
  })

  it('of the first bytes is verified at a creation with upload', async () => {
    const tus = await newTus()
    const right = { 'Upload-Checksum': checksumOf('sha256', '01234') }
    const { headers } = await tus.create({ body: '01234', headers: right })
    expect(headers['upload-offset']).toBe('5')
  })

  it('is verified at a creation without bytes, too', async () => {
    const tus = await newTus()
    for (const content of ['', 'x']) {
      const declared = [
        { 'Upload-Checksum': checksumOf('sha256', content) },
        { 'Content-Digest': reprDigestOf(content) },
      ]
      for (const headers of declared) expect((await tus.create({ headers })).status).toBe(content === '' ? 201 : 460)
    }
  })
})

describe('the digest of a whole tus upload', () => {
  it.each(['metadata', 'Repr-Digest'])('by %s that matches publishes the file', async (by) => {
    const tus = await newTus()
    const path = await tus.begin(by === 'metadata' ? { metadata: { sha256: sha256Of('0123456789') } } : {})
    await tus.patch(path, 0, '01234')
    const headers = by === 'metadata' ? {} : { 'Repr-Digest': reprDigestOf('0123456789') }
    const answer = await tus.patch(path, 5, '56789', headers)
    expect(answer).toMatchObject({ status: 204, headers: { 'repr-digest': reprDigestOf('0123456789') } })
    expect(answer.headers.etag).toBe(`"${sha256Of('0123456789')}"`)
  })

  it.each(['metadata', 'Repr-Digest'])(
    'by %s that does not match is answered 422, and nothing is published',
    async (by) => {
      const tus = await newTus()
      const path = await tus.begin(by === 'metadata' ? { metadata: { sha256: sha256Of('other') } } : {})
      const headers = by === 'metadata' ? {} : { 'Repr-Digest': reprDigestOf('other') }
      await tus.patch(path, 0, '01234')
      const refused = await tus.patch(path, 5, '56789', headers)
      expect(refused).toMatchObject({ status: 422, json: { code: 'digest-mismatch' } })
      expect(refused.headers['filejobs-job']).toBe(idOf(path))
      expect(await tus.caller.names()).toEqual([])
      expect(await partials(path)).toEqual([])
      expect(await tus.caller.job(idOf(path))).toMatchObject({ state: 'failed', error: { code: 'digest-mismatch' } })
      expect((await tus.head(path)).status).toBe(410)
      expect((await tus.create()).status).toBe(201)
    },
  )
})

describe('tus termination', () => {
  it('is answered 204, and leaves nothing', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '01234')
    expect(await partials(path)).toHaveLength(2)
    expect((await tus.remove(path)).status).toBe(204)
    expect(await partials(path)).toEqual([])
    expect(await tus.caller.job(idOf(path))).toMatchObject({ state: 'stopped', bytes: 5 })
    expect((await tus.create()).status).toBe(201)
  })

  it('makes PATCH and DELETE answer 410, and HEAD 423 for a minute, so that clients give up', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.remove(path)
    expect(await tus.patch(path, 0, 'x')).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
    expect(await tus.remove(path)).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
    expect((await tus.head(path)).status).toBe(423)
  })

  it('of a published upload is answered 410: the file remains', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '0123456789')
    expect(await tus.remove(path)).toMatchObject({ status: 410, json: { code: 'already-published' } })
    expect(await tus.caller.names()).toEqual(['file.bin'])
  })
})
