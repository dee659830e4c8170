import http from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { shareServer } from '../helpers/shared-server.js'

const shared = shareServer()

it('a share link whose slots are held by silent readers of one address accepts it again after a minute', async () => {
  const ann = await shared.newCaller()
  await ann.put('big', Buffer.alloc(24 * 1024 ** 2))
  const { url } = (await ann.post('/shares', { filename: 'big', expiresIn: 600 })).json
  for (let i = 0; i < 12; i++) {
    const request = http.get(url, { agent: false })
    onTestFinished(() => void request.destroy())
    request.on('error', () => {})
    const response = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
    response.on('error', () => {})
  }
  const read = async () => (await fetch(url, { headers: { Range: 'bytes=0-0' } })).status
  expect(await read()).toBe(503)
  await eventually('a place is free', async () => (await read()) === 206, 90_000)
})
