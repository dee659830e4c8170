import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { exchange, expectSound, mutations } from '../helpers/fuzz.js'
import { checkAsync } from '../helpers/properties.js'
import { head, statusesIn } from '../helpers/raw-connection.js'
import { startTestServer } from '../helpers/server.js'
import { formSeeds, formTokens } from './corpus.js'

it('a form of any bytes is stored completely or rejected, and the server stays healthy', async () => {
  const server = await startTestServer({ shutdownGraceMs: 0 })
  onTestFinished(() => server.close())
  const ann = new Caller(server, await server.logIn('ann'))
  const statuses = new Map<number, number>()
  const survives = fc.asyncProperty(mutations(formSeeds, formTokens), fc.boolean(), async (body, isChunked) => {
    await removeAll(ann)
    const framing: Record<string, string> = isChunked
      ? { 'Transfer-Encoding': 'chunked' }
      : { 'Content-Length': String(body.length) }
    const start = head('POST /upload', ann.token, {
      ...framing,
      'Content-Type': 'multipart/form-data; boundary=b',
      Connection: 'close',
    })
    const whole = isChunked && body.length > 0 ? chunked(body) : isChunked ? '0\r\n\r\n' : body
    const answer = await exchange(server.url, Buffer.concat([Buffer.from(start), Buffer.from(whole)]))
    const status = statusesIn(answer).at(-1)
    expect(status).toBeDefined()
    statuses.set(status!, (statuses.get(status!) ?? 0) + 1)
    const { files } = (await ann.call('/files?limit=1000')).json as { files: { name: string; size: number }[] }
    if (status === 201) {
      const stored = JSON.parse(bodyOf(answer)).files as typeof files
      const sizes = Object.fromEntries(stored.map(({ name, size }) => [name, size]))
      expect(Object.fromEntries(files.map(({ name, size }) => [name, size]))).toEqual(sizes)
    } else {
      expect(files).toEqual([])
    }
    await expectSound(server, ann, answer)
  })
  await checkAsync(survives, 100)
  console.log(Object.fromEntries(statuses))
})

async function removeAll(caller: Caller): Promise<void> {
  for (const name of await caller.names()) {
    const path = `/files/${name.split('/').map(encodeURIComponent).join('/')}`
    expect((await caller.call(path, { method: 'DELETE' })).status).toBe(204)
  }
}

function chunked(body: Buffer): Buffer {
  const half = Math.ceil(body.length / 2)
  const frames = [body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0)
  const framed = frames.flatMap((frame) => [`${frame.length.toString(16)}\r\n`, frame, '\r\n'])
  return Buffer.concat([...framed, '0\r\n\r\n'].map((part) => Buffer.from(part as string)))
}

/** The body of an answer that came as Latin-1. */
function bodyOf(answer: string): string {
  return Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1').toString()
}
