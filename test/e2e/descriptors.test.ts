import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import http from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'
import { hasProgram } from '../helpers/system-programs.js'

const json = { 'Content-Type': 'application/json' }
const requests: [method: string, path: string, body: string, headers?: Record<string, string>][] = [
  ['PUT', '/files/new', 'content'],
  ['POST', '/import', '{"filename":"t.csv"}', { ...json, Prefer: 'wait=60' }],
  ['POST', '/query', '{"sql":"SELECT 1"}', json],
  ['GET', '/tables/t/rows', ''],
  ['POST', '/auth/login', '{"username":"ann","password":"correct horse"}', json],
  ['GET', '/files', ''],
]

describe.skipIf(!hasProgram('prlimit'))('a server out of file descriptors', () => {
  it('answers 503 with Retry-After, also to imports, and recovers', async () => {
    const server = await startServe()
    const signup = { username: 'ann', password: 'correct horse' }
    const { token } = (await new Caller(server, '').post('/auth/signup', signup)).json
    const ann = new Caller(server, token)
    await ann.put('t.csv', 'a,b\n1,2\n')
    expect(
      (await ann.call('/import', { method: 'POST', headers: { Prefer: 'wait=60' }, body: { filename: 't.csv' } }))
        .status,
    ).toBe(200)

    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const ask = ([method, path, body, headers = {}]: (typeof requests)[number]) =>
      new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
        const options = {
          method,
          agent,
          headers: { Authorization: `Bearer ${token}`, 'Content-Length': body.length, ...headers },
        }
        const request = http.request(server.url + path, options, (response) => {
          const { statusCode: status = 0, headers: answered } = response
          response.resume().on('end', () => resolve({ status, retryAfter: answered['retry-after'] }))
        })
        request.on('error', reject).end(body)
      })
    await ask(['GET', '/healthz', ''])
    const pid = String(server.child.pid)
    const limit = (soft: number) => execFileSync('prlimit', ['--pid', pid, `--nofile=${soft}:`])

    const refused = new Set<string>()
    for (const spare of [0, 2, 4]) {
      limit(readdirSync(`/proc/${pid}/fd`).length + spare)
      for (const request of requests) {
        const { status, retryAfter } = await ask(request)
        if (status < 500) continue
        expect({ request, status, retryAfter }).toEqual({ request, status: 503, retryAfter: '5' })
        refused.add(request[1])
      }
    }
    expect([...refused]).toEqual(expect.arrayContaining(['/files/new', '/import', '/query']))

    limit(512)
    for (const request of requests) expect((await ask(request)).status, request[1]).toBeLessThan(300)
  })

  it('causes exit code 5 in the client', async () => {
    const server = await startServe()
    const { token } = (
      await new Caller(server, '').post('/auth/signup', { username: 'ann', password: 'correct horse' })
    ).json
    await new Caller(server, token).put('t.csv', 'a,b\n1,2\n')
    const pid = String(server.child.pid)
    // One for the connection, and too few for a process.
    execFileSync('prlimit', ['--pid', pid, `--nofile=${readdirSync(`/proc/${pid}/fd`).length + 3}:`])
    const client = await openClient(server.url, token)
    const { code, stderr } = await client.run(['import', 't.csv'])
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringMatching(/too many files and connections open/) })
  })
})
