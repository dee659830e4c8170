import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { head } from '../helpers/raw-connection.js'
import { type ServeOptions, type ServeProcess, startServe } from '../helpers/serve.js'
import { hasProgram } from '../helpers/system-programs.js'

const flood = fileURLToPath(new URL('../helpers/flood.mjs', import.meta.url))
const signup = { username: 'ann', password: 'correct horse' }
const wrong = JSON.stringify({ username: 'ann', password: 'wrong horse' })
const login = { 'Content-Type': 'application/json', 'Content-Length': wrong.length }

async function openLab(options: ServeOptions = {}) {
  const server = await startServe(options)
  const { token } = (await new Caller(server, '').post('/auth/signup', signup)).json
  return { server, ann: new Caller(server, token) }
}

/** The slowest answer of `/healthz` in milliseconds, asked again and again until `until` is over. */
async function slowestHealth(server: ServeProcess, until: Promise<unknown>): Promise<number> {
  let isOver = false
  const over = until.finally(() => {
    isOver = true
  })
  let slowest = 0
  while (!isOver) {
    const began = performance.now()
    expect((await new Caller(server, '').call('/healthz')).status).toBe(200)
    slowest = Math.max(slowest, performance.now() - began)
    await delay(5)
  }
  await over
  return slowest
}

function startFlood(
  server: ServeProcess,
  args: readonly (string | number)[],
): { child: ChildProcess; closed: Promise<unknown> } {
  const child = spawn(process.execPath, [flood, new URL(server.url).port, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, closed: new Promise((resolve) => child.stdout?.once('data', resolve)) }
}

function residentBytes(server: ServeProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))![1]) * 1024
}

describe.skipIf(process.platform !== 'linux')('150,000 pipelined requests', () => {
  const heads: [behind: string, first: (token: string) => string][] = [
    ['an event stream', (token) => head('GET /jobs/events', token)],
    ['a login', () => head('POST /auth/login', null, login) + wrong],
    ['one like them', (token) => head('GET /files', token)],
  ]
  it.each(heads)('behind %s leave /healthz below 100 ms and the memory flat', async (_behind, first) => {
    const { server, ann } = await openLab()
    const before = residentBytes(server)
    for (const connections of [1, 10]) {
      const { closed } = startFlood(server, [
        connections,
        first(ann.token),
        head('GET /x', null),
        150_000 / connections,
      ])
      expect(
        await slowestHealth(
          server,
          closed.then(() => delay(1000)),
        ),
      ).toBeLessThan(100)
    }
    expect(residentBytes(server) - before).toBeLessThan(60 * 1024 ** 2)
  })
})

describe.skipIf(!hasProgram('prlimit'))('1,150 silent connections to a server with 1,024 file descriptors', () => {
  // Read at the start, they limit the connections; lowered later, they end while connections are accepted.
  it.each(['start', 'middle'])('from its %s leave it serving, and it recovers a second after them', async (from) => {
    const { server, ann } = await openLab(from === 'start' ? { command: ['prlimit', '--nofile=1024:1024'] } : {})
    const pid = String(server.child.pid)
    const port = Number(new URL(server.url).port)
    if (from === 'middle') execFileSync('prlimit', ['--pid', pid, '--nofile=1024:1024'])
    await ann.put('t.csv', 'a\n1\n')
    const sockets = Array.from({ length: 1150 }, () => net.connect(port, '127.0.0.1').on('error', () => {}))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
    })
    await eventually('they are there', () => sockets.every((socket) => !socket.connecting))
    if (from === 'start') expect((await ann.post('/auth/login', signup)).status).toBe(200)
    for (const socket of sockets) socket.destroy()
    await delay(1000)
    expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(100)
    expect((await ann.post('/auth/login', signup)).status).toBe(200)
    const imported = await ann.call('/import', {
      method: 'POST',
      headers: { Prefer: 'wait=60' },
      body: { filename: 't.csv' },
    })
    expect(imported.status).toBe(200)
    expect((await ann.call('/query', { method: 'POST', body: { sql: 'SELECT 1' } })).status).toBe(200)
  })
})
