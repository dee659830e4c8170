import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const program = fileURLToPath(new URL('../../bin/filejobs.js', import.meta.url))
const sales = fileURLToPath(new URL('../../bench/make-sales.mjs', import.meta.url))
const mebibyte = 1024 ** 2
const password = 'correct horse'

/** A server with an account `ann`, and what there is to see of it. */
export async function startStage(folder) {
  const args = [
    program,
    'serve',
    '--port',
    '0',
    '--data',
    `${folder}/data`,
    '--bcrypt-cost',
    '4',
    '--jobs-per-account',
    '9',
  ]
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = await once(createInterface(server.stdout), 'line')
  const url = String(line).replace('Listening on ', '')
  const signup = await fetch(`${url}/auth/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password }),
  })
  const { token } = await signup.json()
  const left = new AbortController()

  /** @param {RequestInit & {duplex?: string}} init */
  async function call(method, path, init = {}) {
    const headers = { Authorization: `Bearer ${token}`, ...init.headers }
    const answer = await fetch(url + path, { ...init, method, headers })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  const json = (value) => ({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) })
  const put = (name, body) =>
    call('PUT', `/files/${name.split('/').map(encodeURIComponent).join('/')}`, { body, duplex: 'half' })

  /** An upload whose sender is as fast as `rateAt` says for the second that it is in, in bytes a second. */
  function transfer(name, size, rateAt) {
    const id = crypto.randomUUID()
    const headers = { Authorization: `Bearer ${token}`, 'Filejobs-Job': id, 'Content-Length': String(size) }
    const body = Readable.toWeb(Readable.from(paced(size, rateAt)))
    const path = `/files/${name.split('/').map(encodeURIComponent).join('/')}`
    /** @type {RequestInit & {duplex: string}} */
    const init = { method: 'PUT', headers, body, duplex: 'half', signal: left.signal }
    fetch(url + path, init).catch(() => {})
    return id
  }

  return {
    url,
    token,
    password,
    /** Files, a table and a history. */
    async fill() {
      const files = {
        'archive/2025/photos.tar': 61,
        'backup.iso': 38,
        'music/été 🎧.flac': 24,
        'reports/annual report.pdf': 3,
        'reports/figures.xlsx': 1,
        'talks/سجل الأحداث.mp4': 18,
      }
      for (const [name, size] of Object.entries(files)) await put(name, new Uint8Array(size * mebibyte))
      const made = spawn(process.execPath, [sales, '40000'], { stdio: ['ignore', 'pipe', 'inherit'] })
      await put('sales.csv', Readable.toWeb(made.stdout))
      const order = { filename: 'sales.csv', dateColumn: 'Order Date' }
      const { headers, body } = json(order)
      await call('POST', '/import', { headers: { ...headers, Prefer: 'wait=120' }, body })
      await (await call('GET', '/files/backup.iso')).arrayBuffer()
      const stopped = transfer('films/wrong one.mkv', 900 * mebibyte, () => 20 * mebibyte)
      await delay(1500)
      await call('POST', `/jobs/${stopped}/stop`)
    },
    /** Lets transfers run for some seconds, as they do in life: now faster, now slower, one held, one limited. */
    async runTransfers(seconds) {
      const wave = (mean, length) => (second) =>
        mean * mebibyte * (1 + 0.35 * Math.sin(second / length) + 0.15 * Math.sin(second * 1.7 + length))
      transfer('films/holiday 2026.mkv', 1400 * mebibyte, wave(14, 3))
      transfer('archive/2026/photos.tar', 700 * mebibyte, wave(9, 4))
      const limited = transfer('datasets/sensors.parquet', 420 * mebibyte, wave(9, 2))
      const held = transfer('backup-2026-11.iso', 260 * mebibyte, wave(3, 5))
      fetch(`${url}/files/archive/2025/photos.tar`, {
        headers: { Authorization: `Bearer ${token}`, 'Filejobs-Rate-Limit': String(mebibyte / 2) },
        signal: left.signal,
      })
        .then((answer) => answer.arrayBuffer())
        .catch(() => {})
      await delay(seconds * 400)
      await call('PATCH', `/jobs/${limited}`, json({ rateLimit: 4 * mebibyte }))
      await delay(seconds * 300)
      await call('POST', `/jobs/${held}/pause`)
      await delay(seconds * 300)
    },
    async close() {
      left.abort()
      server.kill('SIGKILL')
      await once(server, 'exit')
    },
  }
}

/** Zeros, twenty times a second as many as the rate allows. */
async function* paced(size, rateAt) {
  const startedAt = performance.now()
  for (let sent = 0; sent < size; ) {
    const second = (performance.now() - startedAt) / 1000
    const piece = new Uint8Array(Math.min(size - sent, Math.round(rateAt(second) / 20)))
    yield piece
    sent += piece.length
    await delay(50)
  }
}
