import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { startTestServer } from '../../helpers/server.js'
import { Tus } from '../../helpers/tus.js'

async function open(corsOrigin: string | null) {
  const server = await startTestServer({ corsOrigin })
  onTestFinished(() => server.close())
  return new Tus(new Caller(server, await server.logIn('ann')))
}

const page = { Origin: 'https://app.example' }
const preflight = {
  ...page,
  'Access-Control-Request-Method': 'PATCH',
  'Access-Control-Request-Headers': 'upload-offset',
}
const allowedBy = (answer: { headers: object }) =>
  Object.entries(answer.headers).filter(([name]) => /^access/.test(name))

describe('a page of an origin in --cors-origin', () => {
  it('can upload: its preflight is answered without a token, and the response headers are exposed', async () => {
    const tus = await open('https://other.example,https://app.example')
    const asked = await tus.caller.call('/tus/x', { method: 'OPTIONS', headers: { ...preflight, Authorization: '' } })
    expect(asked.status).toBe(204)
    expect(asked.headers['access-control-allow-origin']).toBe('https://app.example')
    expect(asked.headers['access-control-allow-methods']).toMatch(/PATCH/)
    for (const name of ['Authorization', 'Upload-Offset', 'Tus-Resumable', 'Upload-Metadata', 'Filejobs-Job']) {
      expect(asked.headers['access-control-allow-headers']).toContain(name)
    }
    const created = await tus.create({ headers: page })
    expect(created.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example', vary: 'Origin' })
    for (const name of ['Location', 'Upload-Offset', 'Upload-Expires', 'Filejobs-Job', 'Repr-Digest']) {
      expect(created.headers['access-control-expose-headers']).toContain(name)
    }
  })

  it('can read errors and files, too, even if sent outside the router', async () => {
    const tus = await open('https://app.example')
    await tus.caller.put('file', randomBytes(300_000))
    const answers = [
      await tus.caller.call('/files/file', { headers: page }),
      await tus.caller.call('/files/missing', { headers: page }),
      await tus.caller.call('/nowhere', { headers: page }),
      await tus.caller.call('/files', { headers: { ...page, Authorization: '' } }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 401])
    for (const { headers } of answers) expect(headers['access-control-allow-origin']).toBe('https://app.example')
  })

  it('can be any page with *', async () => {
    const tus = await open('*')
    expect((await tus.create({ headers: page })).headers['access-control-allow-origin']).toBe('*')
  })
})

describe('a page of another origin', () => {
  it.each([null, 'https://other.example', 'https://app.example.evil.example'])(
    'cannot make a request with %s',
    async (allowed) => {
      const tus = await open(allowed)
      expect(allowedBy(await tus.create({ headers: page }))).toEqual([])
      expect(allowedBy(await tus.caller.call('/tus', { method: 'OPTIONS', headers: preflight }))).toEqual([])
      expect(allowedBy(await tus.caller.call('/files', { headers: page }))).toEqual([])
    },
  )
})
