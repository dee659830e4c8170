import { describe, expect, it } from 'vitest'
import { shareConsumer } from './helpers/consumer.js'

const consumer = shareConsumer()

describe('a program that has installed the package', () => {
  it('embeds two servers, uses them, and ends by itself with nothing printed', async () => {
    consumer.write('embed.js', embedding)
    const { stdout, stderr } = await consumer.node('embed.js')
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      urls: true,
      names: ['a'],
      text: 'hello',
      refused: ['invalid-request', 'TypeError', 'port', 'folder'],
      listeners: [0, 0, 0],
      execArgv: [],
    })
  })

  it('mounts a server below a path of its own, and gets its requests back', async () => {
    consumer.write('mount.js', mounting)
    const { stdout, stderr } = await consumer.node('mount.js')
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      others: ['own /', 'own /storefront', 'own /store/healthz'],
      health: 200,
      name: 'in/a',
      location: expect.stringMatching(/^\/store\/tus\//),
      stopped: [409, 'job-stopped'],
      continued: 201,
      requestTimeout: 300_000,
    })
  })

  it('is required by CommonJS, too', async () => {
    consumer.write(
      'required.cjs',
      "console.log(typeof require('filejobs').Filejobs, require('filejobs/package.json').name)",
    )
    expect((await consumer.node('required.cjs')).stdout).toBe('function filejobs\n')
  })

  it('cannot import what is not exported', async () => {
    consumer.write('inside.js', "await import('filejobs/dist/server/start.js')")
    await expect(consumer.node('inside.js')).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  const ways = [
    { way: 'nodenext', options: { module: 'nodenext', types: ['node'] } },
    { way: 'node16', options: { module: 'node16', types: ['node'] } },
    { way: 'a bundler', options: { module: 'esnext', moduleResolution: 'bundler', types: ['node'] } },
  ]
  it.each(ways)('has strict types for $way', async ({ options }) => {
    consumer.write('typed.ts', typed)
    expect(await consumer.compile(options, 'typed.ts')).toBe('')
  })

  it('has types for browsers, without those of Node', async () => {
    consumer.write('page.ts', page)
    const options = { module: 'esnext', moduleResolution: 'bundler', types: [], lib: ['ES2022', 'DOM', 'DOM.Iterable'] }
    expect(await consumer.compile(options, 'page.ts')).toBe('')
  })

  it('has types that find wrong use', async () => {
    consumer.write('wrong.ts', wrong)
    const found = await consumer.compile({ module: 'nodenext', types: ['node'] }, 'wrong.ts')
    const lines = [...found.matchAll(/^wrong\.ts\((\d+),/gm)].map((match) => Number(match[1]))
    expect(lines).toEqual([4, 5, 6, 7])
  })
})

const embedding = `
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Filejobs } from 'filejobs'
import { startServer } from 'filejobs/server'

const folder = await mkdtemp(join(tmpdir(), 'filejobs-test-'))
const settings = { port: 0, bcryptCost: 4 }
const first = await startServer({ ...settings, data: join(folder, 'first') })
const second = await startServer({ ...settings, data: join(folder, 'second') })
const library = new Filejobs({ server: first.url })
await library.signup({ username: 'ann', password: 'correct horse' })
await library.upload(new TextEncoder().encode('hello'), { name: 'a' })
const names = []
for await (const { name } of library.list()) names.push(name)
const text = await new Response((await library.export('a')).stream).text()
const refused = []
const attempt = (options, tell) => startServer({ ...settings, ...options }).catch((error) => refused.push(tell(error)))
await attempt({ data: join(folder, 'third'), maxPause: 'soon' }, ({ code, message }) => message.startsWith('maxPause ') && code)
await attempt({ data: join(folder, 'third'), nonsense: 1 }, ({ name }) => name)
await attempt({ data: join(folder, 'third'), port: first.port }, ({ message }) => message.includes(String(first.port)) && 'port')
await attempt({ data: join(folder, 'first') }, ({ message }) => message.includes('data folder') && 'folder')
const urls = first.url.endsWith(':' + first.port) && first.url !== second.url
await Promise.all([first.close(), second.close()])
const listeners = ['SIGINT', 'SIGTERM', 'uncaughtException'].map((event) => process.listenerCount(event))
console.log(JSON.stringify({ urls, names, text, refused, listeners, execArgv: process.execArgv }))
`

const mounting = `
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Filejobs } from 'filejobs'
import { mountServer } from 'filejobs/server'

const data = await mkdtemp(join(tmpdir(), 'filejobs-test-'))
const own = http.createServer((request, response) => response.end('own ' + request.url))
const mounted = await mountServer(own, { data, path: '/store', signup: 'open', bcryptCost: 4 })
own.listen(0, '127.0.0.1')
await once(own, 'listening')
const url = 'http://127.0.0.1:' + own.address().port
const textOf = async (path) => (await fetch(url + path)).text()
const others = [await textOf('/'), await textOf('/storefront')]
const health = (await fetch(url + '/store/healthz')).status

const library = new Filejobs({ server: url + '/store' })
const { token } = await library.signup({ username: 'ann', password: 'correct horse' })
const { name } = await library.upload(new Uint8Array(2_000_000), { name: 'in/a' })
const authorization = 'Bearer ' + token
const tus = { 'tus-resumable': '1.0.0', 'upload-length': '3', 'upload-metadata': 'filename eA==' }
const created = await fetch(url + '/store/tus', { method: 'POST', headers: { authorization, ...tus } })

// In the middle of its body.
const headers = { authorization, 'filejobs-rate-limit': '200000' }
const sending = http.request(url + '/store/files/b', { method: 'PUT', agent: false, headers })
const answered = once(sending, 'response')
const timer = setInterval(() => sending.destroyed || sending.write(Buffer.alloc(65536)), 10)
for await (const { job } of library.jobs.watch()) {
  if (job?.file !== 'b' || job.bytes === 0) continue
  await library.stop(job)
  break
}
const [response] = await answered
const chunks = await response.toArray()
clearInterval(timer)
sending.destroy()
const stopped = [response.statusCode, JSON.parse(Buffer.concat(chunks)).code]

const expecting = http.request(url + '/store/files/c', { method: 'PUT', headers: { authorization, expect: '100-continue', 'content-length': 1 } })
expecting.on('continue', () => expecting.end('c')).flushHeaders()
const [{ statusCode: continued }] = await once(expecting, 'response')

await mounted.close()
others.push(await textOf('/store/healthz'))
own.close()
own.closeAllConnections()
const { requestTimeout } = own
console.log(JSON.stringify({ others, health, name, location: created.headers.get('location'), stopped, continued, requestTimeout }))
`

const typed = `
import http from 'node:http'
import { Filejobs, FilejobsError, type FileRecord, type JobEvent, type Receipt, type Transport } from 'filejobs'
import { type EmbeddedServer, mountServer, type ServerOptions, startServer } from 'filejobs/server'

const options: ServerOptions = { data: 'data', port: 0, quota: '5G', maxPause: 60_000, query: false, corsOrigin: ['https://a.example'] }
const server: EmbeddedServer = await startServer({ ...options, log: { info() {}, warn() {}, error: (message, error) => console.error(message, error) } })
await (await mountServer(http.createServer(), { data: 'other', path: '/files' })).close()
const transport: Transport = fetch
const library = new Filejobs({ server: server.url, login: { username: 'ann', password: 'correct horse', role: 'user' }, transport })
const record: FileRecord = await library.upload(process.stdin, { name: 'a', onProgress: ({ bytes, totalBytes }) => console.log(bytes, totalBytes) })
const sha256: string | null = record.sha256
const { stream, size } = await library.export('a')
const total: number | null = size
const saved: string = (await library.export('a', { to: 'copy' })).path
for await (const event of library.jobs.watch()) {
  const { job }: JobEvent = event
  if (job?.state === 'running') console.log(((await library.stop(job)) satisfies Receipt).cleanedUp)
}
try {
  await library.remove('a')
} catch (error) {
  if (error instanceof FilejobsError && error.code === 'file-not-found') console.log(error.status, error.detail, error.receipt?.message)
}
console.log(sha256, total, saved, stream)
`

const page = `
import { Filejobs } from 'filejobs'

const library = new Filejobs({ server: location.origin, token: 'token' })
document.querySelector('input')?.addEventListener('change', async ({ target }) => {
  const file = (target as HTMLInputElement).files?.[0]
  if (file) await library.upload(file)
})
const { stream } = await library.export('a')
await new Response(stream).blob()
`

const wrong = `
import { Filejobs, FilejobsError } from 'filejobs'
const library = new Filejobs({ server: 'http://127.0.0.1' })
library.upload(7, { name: 'a' })
library.upload('a', { nam: 'a' })
library.jobs.list({ state: 'finished' })
if (new FilejobsError('busy', '').code === 'bussy') console.log()
`
