import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'

const mebibyte = 1024 ** 2

describe('GET /files/NAME?preview', () => {
  const shared = shareServer()

  it('sends the file or a range of it, sandboxed, without a job', async () => {
    const ann = await shared.newCaller()
    await ann.put('a.png', '0123456789', { 'Content-Type': 'image/png' })
    const whole = await ann.call('/files/a.png?preview')
    expect([whole.status, `${whole.body}`]).toEqual([200, '0123456789'])
    expect(whole.headers).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': expect.stringMatching(/^inline;/),
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
    })
    const part = await ann.call('/files/a.png?preview', { headers: { Range: 'bytes=2-4' } })
    expect([part.status, `${part.body}`, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10'])
    const same = await ann.call('/files/a.png?preview', { headers: { 'If-None-Match': whole.headers.etag as string } })
    expect(same.status).toBe(304)
    expect((await ann.call('/jobs?kind=export')).json.jobs).toEqual([])
    expect((await ann.call('/files/none?preview')).status).toBe(404)
  })

  it('shows no page in place, and sends an empty file', async () => {
    const ann = await shared.newCaller()
    await ann.put('a.html', '<p>', { 'Content-Type': 'text/html' })
    await ann.put('b.svg', '', { 'Content-Type': 'image/svg+xml' })
    for (const name of ['a.html', 'b.svg']) {
      const { status, headers } = await ann.call(`/files/${name}?preview`)
      expect([status, headers['content-disposition']]).toEqual([200, expect.stringMatching(/^attachment;/)])
    }
  })

  it('refuses more than 32 MiB at once', async () => {
    const ann = await shared.newCaller()
    await ann.put('large.bin', Buffer.alloc(32 * mebibyte + 1))
    const { status, json } = await ann.call('/files/large.bin?preview')
    expect([status, json.code, json.maxBytes]).toEqual([413, 'file-too-large', 32 * mebibyte])
    const part = await ann.call('/files/large.bin?preview', { headers: { Range: `bytes=1-${32 * mebibyte}` } })
    expect([part.status, part.body.length]).toEqual([206, 32 * mebibyte])
  })

  it('answers a longer range with its beginning, as players ask for all that follows', async () => {
    const ann = await shared.newCaller()
    await ann.put('large.mp4', Buffer.alloc(33 * mebibyte), { 'Content-Type': 'video/mp4' })
    const { status, body, headers } = await ann.call('/files/large.mp4?preview', { headers: { Range: 'bytes=5-' } })
    expect([status, body.length, headers['content-length'], headers['content-range']]).toEqual([
      206,
      32 * mebibyte,
      `${32 * mebibyte}`,
      `bytes 5-${32 * mebibyte + 4}/${33 * mebibyte}`,
    ])
  })

  it('sends twelve at a time to an account, whose slot they do not take', async () => {
    const ann = await shared.newCaller()
    await ann.put('large.mp4', Buffer.alloc(24 * mebibyte), { 'Content-Type': 'video/mp4' })
    const open = () =>
      new Promise<IncomingMessage>((resolve) => {
        const request = ann.open('/files/large.mp4?preview')
        request.on('error', () => {})
        request.on('response', (response) => resolve(response.on('error', () => {})))
        request.end()
      })
    const looks = await Promise.all(Array.from({ length: 12 }, open))
    expect(looks.map(({ statusCode }) => statusCode)).toEqual(Array(12).fill(200))
    const refused = await ann.call('/files/large.mp4?preview')
    expect([refused.status, refused.json.code, refused.headers['retry-after']]).toEqual([429, 'too-many-requests', '1'])
    const download = await ann.call('/files/large.mp4')
    expect([download.status, download.body.length]).toEqual([200, 24 * mebibyte])
    const other = await shared.newCaller()
    await other.put('a.txt', 'x')
    expect((await other.call('/files/a.txt?preview')).status).toBe(200)
    for (const look of looks) look.destroy()
    await eventually('another look', async () => (await ann.call('/files/large.mp4?preview')).status === 200)
  })

  it('is for clients what is published', async () => {
    const ops = new Caller(shared.server, await shared.server.logIn('showdepot', 'ops'))
    await ops.put('a.txt', 'text')
    const client = new Caller(shared.server, await shared.server.logIn('showclient', 'client'))
    expect(`${(await client.call('/published/showdepot/a.txt?preview')).body}`).toBe('text')
  })
})

describe('GET /files/NAME?preview of an account with a rate', () => {
  const shared = shareServer({ rateLimitPerAccount: mebibyte })

  it('counts towards it', async () => {
    const ann = await shared.newCaller()
    await ann.put('a.bin', Buffer.alloc(mebibyte))
    const startedAt = performance.now()
    await ann.call('/files/a.bin?preview')
    await ann.call('/files/a.bin?preview')
    expect(performance.now() - startedAt).toBeGreaterThan(1500)
  })
})
