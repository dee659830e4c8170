import { rm, symlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { isCluster } from '../../run/is-cluster.js'

describe('/server', () => {
  const shared = shareServer({ quota: 5_000_000, maxFileSize: null, idleTimeoutMs: 60_000 })

  it('says what runs, how much room there is, and which limits are in force', async () => {
    const admin = await shared.admin()
    const { status, json, headers } = await admin.call('/server')
    expect([status, headers['cache-control']]).toEqual([200, 'no-store'])
    expect(json).toMatchObject({
      node: hostname(),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      runtime: process.version,
      storage: isCluster ? 'database' : 'folder',
      fault: null,
      engine: { name: 'DuckDB', version: expect.stringMatching(/^\d/) },
      check: { isRunning: false },
      nodes: [{ name: hostname(), version: json.version, isAlive: true, isSelf: true }],
    })
    expect(json.disk.totalBytes).toBeGreaterThan(json.disk.freeBytes)
    expect(json.disk.freeBytes).toBeGreaterThan(0)
    expect(Date.parse(json.startedAt) + json.uptimeSeconds * 1000).toBeLessThanOrEqual(Date.now() + 1000)
    const limits = Object.fromEntries(
      json.limits.map(({ option, value, unit }: Record<string, unknown>) => [option, [value, unit]]),
    )
    expect(limits).toMatchObject({
      '--quota': [5_000_000, 'bytes'],
      '--max-file-size': [null, 'bytes'],
      '--idle-timeout': [60_000, 'ms'],
      '--query': [true, null],
      '--signup': ['user,ops,client', null],
    })
    expect(JSON.stringify(json)).not.toMatch(/admin-password|postgres:/)
  })

  it('checks what is stored, and remembers the result', async () => {
    const [admin, ann] = [await shared.admin(), await shared.newCaller()]
    await ann.put('fine.txt', 'content')
    const { status, json } = await admin.post('/server/check')
    expect(status).toBe(200)
    expect(json).toMatchObject({ node: hostname(), isComplete: true, findings: [], omitted: 0 })
    expect((await admin.call('/server')).json.check).toEqual({ isRunning: false, last: json })
  })

  onlyLocal('a folder has entries that are not served', () => {
    it('finds what lies in the folder and cannot be served', async () => {
      const [admin, ann] = [await shared.admin(), await shared.newCaller()]
      await ann.put('fine.txt', 'content')
      const { username } = (await ann.call('/auth/me')).json
      const path = join(shared.server.dataFolder, 'uploads', 'user', username, 'link')
      await symlink('fine.txt', path)
      onTestFinished(() => rm(path))
      const { findings } = (await admin.post('/server/check')).json
      expect(findings).toEqual([{ severity: 'note', subject: path, fault: 'it is a symbolic link' }])
    })
  })

  it('shows the last lines of the log, without the secret of a link', async () => {
    const admin = await shared.admin()
    await new Caller(shared.server, '').call('/s/a-very-secret-token')
    const linesOf = async (limit: number) => (await admin.call(`/server/log?limit=${limit}`)).json
    const { node, lines } = await eventually('the line of the request', async () => {
      const log = await linesOf(50)
      return log.lines.some(({ message }: { message: string }) => message === 'GET /s/… 404') && log
    })
    expect(node).toBe(hostname())
    expect(lines).toContainEqual({
      id: expect.stringMatching(/^[0-9a-f]{12}-\d+$/),
      at: expect.any(String),
      level: 'info',
      message: 'GET /s/… 404',
      details: expect.objectContaining({ status: 404, account: null, address: expect.any(String) }),
    })
    expect(JSON.stringify(lines)).not.toContain('very-secret')
    expect((await linesOf(1)).lines).toHaveLength(1)
    expect((await linesOf(0)).lines).toEqual([])
  })

  it('sends the log live, and resumes after a line', async () => {
    const admin = await shared.admin()
    const first = await listen(admin)
    await new Caller(shared.server, '').call('/healthz?first')
    const line = await first.find('GET /healthz 200')
    first.request.destroy()
    await admin.call('/readyz')
    const second = await listen(admin, line.id)
    await second.find('GET /readyz 200')
    expect(second.lines().some(({ id }) => id === line.id)).toBe(false)
  })

  it('ends the streams of the log of an admin who is disabled', async () => {
    const admin = await shared.admin()
    const account = { username: 'deputy', password: 'correct horse', role: 'admin' }
    expect((await admin.post('/accounts', account)).status).toBe(201)
    const { token } = (await new Caller(shared.server, '').post('/auth/login', account)).json
    const stream = await listen(new Caller(shared.server, token))
    await admin.call('/accounts/admin:deputy', { method: 'PATCH', body: { disabled: true } })
    await eventually('the stream ends', () => stream.isEnded())
    const refused = await new Caller(shared.server, token).call('/server/log/events')
    expect(refused.json).toMatchObject({ status: 401, message: 'The account admin:deputy is disabled: ask an admin.' })
  })
})

interface Line {
  id: string
  message: string
}

/** Opens the stream of the log, and waits for its head. */
async function listen(caller: Caller, after?: string) {
  const request = caller.open('/server/log/events?limit=0', {
    headers: after === undefined ? {} : { 'Last-Event-ID': after },
  })
  onTestFinished(() => void request.destroy())
  let text = ''
  let isOpen = false
  let isEnded = false
  request.on('error', () => {})
  request.on('response', (response) => {
    isOpen = response.statusCode === 200
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    response.on('close', () => {
      isEnded = true
    })
    response.on('error', () => {})
  })
  request.end()
  await eventually('the stream is open', () => isOpen)
  const lines = (): Line[] => [...text.matchAll(/^data: (.*)\n/gm)].map(([, data]) => JSON.parse(data!))
  return {
    request,
    lines,
    isEnded: () => isEnded,
    find: (message: string) => eventually(message, () => lines().find((line) => line.message === message)),
  }
}
