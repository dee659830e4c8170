import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { connectTo, head } from '../../../helpers/raw-connection.js'
import { shareServer } from '../../../helpers/shared-server.js'
import { Tus } from '../../../helpers/tus.js'

const shared = shareServer()
const coded = gzipSync('hello')

describe('a body with a Content-Encoding', () => {
  it.each(['gzip', 'br', 'GZIP', 'identity, gzip', 'x-unknown'])(
    '%s is rejected by every protocol with 415',
    async (coding) => {
      const ann = await shared.newCaller()
      const tus = new Tus(ann)
      const path = await tus.begin({ length: coded.length })
      const headers = { 'Content-Encoding': coding }
      const form = { ...headers, 'Content-Type': 'multipart/form-data; boundary=b' }
      const json = { ...headers, 'Content-Type': 'application/json' }
      const octets = { ...headers, 'Content-Type': 'application/offset+octet-stream' }
      const answers = [
        await ann.put('a', coded, headers),
        await ann.call('/upload', { method: 'POST', body: coded, headers: form }),
        await tus.patch(path, 0, coded, octets),
        await tus.create({ name: 'b', length: coded.length, body: coded, headers: octets }),
        await ann.call('/export', { method: 'POST', body: coded, headers: json }),
        await ann.call('/auth/login', { method: 'POST', body: coded, headers: json }),
        await ann.call('/ops/signup', { method: 'POST', body: coded, headers }),
      ]
      for (const { status, headers } of answers) {
        expect({ status, accepted: headers['accept-encoding'] }).toEqual({ status: 415, accepted: 'identity' })
      }
      expect(await ann.names()).toEqual([])
      await tus.remove(path)
    },
  )

  it('is rejected before it is sent', async () => {
    const ann = await shared.newCaller()
    const connection = await connectTo(ann.url)
    const headers = { 'Content-Length': 10 ** 9, 'Content-Encoding': 'zstd', Expect: '100-continue' }
    connection.send(head('PUT /files/a', ann.token, headers))
    await connection.says(/^HTTP\/1.1 415 /)
  })

  it.each(['identity', 'Identity', '', 'identity, identity'])('"%s" is stored as received', async (coding) => {
    const ann = await shared.newCaller()
    expect((await ann.put('a', coded, { 'Content-Encoding': coding })).status).toBe(201)
    expect((await ann.call('/files/a')).body.equals(coded)).toBe(true)
  })
})
