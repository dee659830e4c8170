import { once } from 'node:events'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { makeCertificate } from '../helpers/certificate.js'
import { eventually } from '../helpers/eventually.js'
import { onlyLocal } from '../helpers/only-local.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'
import { canMount, fillDisk, mountSmallDisk } from '../helpers/small-disk.js'
import { hasProgram } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('filejobs serve', () => {
  it('prints its URL first, then the next command to type, and the admin password once', async () => {
    const dataFolder = `${await temporaryFolder()}/data`
    const first = await startServe({ dataFolder, env: { FILEJOBS_ADMIN_PASSWORD: '' } })
    await first.says(/Ctrl-C ends the server/)
    expect(first.stdout).toBe(`Listening on ${first.url}\n`)
    expect(first.stderr).toContain(`filejobs signup ann --server ${first.url}\n`)
    const [, password] = await first.says(/shown only once: (\S+)/)
    const client = await openClient(first.url)
    expect((await client.run(['login', 'admin:admin'], { env: { FILEJOBS_PASSWORD: password! } })).code).toBe(0)
    first.child.kill('SIGTERM')
    expect(await first.ended()).toBe(0)
    const second = await startServe({ dataFolder, env: { FILEJOBS_ADMIN_PASSWORD: '' } })
    await second.says(/Ctrl-C ends the server/)
    expect(second.stderr).not.toMatch(/password/i)
  })

  it('exposes its process metrics, under the names of prom-client, each once', async () => {
    const server = await startServe()
    const text = await (await fetch(`${server.url}/metrics`)).text()
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
    expect(text).toMatch(/^process_cpu_seconds_total \d/m)
    expect(text).toMatch(/^process_start_time_seconds \d+/m)
    expect(text).toMatch(/^process_open_fds \d+/m)
    expect(text).toMatch(/^nodejs_gc_duration_seconds_bucket\{le="0.001",kind="minor"\} \d+/m)
    const names = text.match(/^# TYPE \S+/gm)!
    expect(new Set(names).size).toBe(names.length)
  })

  it('shuts down cleanly on SIGINT, and unlocks its folder', async () => {
    const server = await startServe()
    server.child.kill('SIGINT')
    expect(await server.ended()).toBe(0)
    const again = await startServe({ dataFolder: server.dataFolder })
    expect(again.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  onlyLocal('a bucket has no disk that fills', () => {
    it.skipIf(!canMount)('shuts down cleanly also on a full disk, without losing data', async () => {
      const disk = await mountSmallDisk()
      const server = await startServe({ dataFolder: `${disk}/data` })
      // Its use of the session is still to be written.
      const token = await signUp(server.url)
      const before = Date.now()
      expect((await fetch(`${server.url}/files`, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200)
      await fillDisk(disk)
      server.child.kill('SIGTERM')
      expect(await server.ended(), server.stderr).toBe(0)
      // The reserve has room for it.
      expect(server.stderr).not.toMatch(/"level":"(warn|error)"/)
      const { sessions } = JSON.parse(await readFile(`${server.dataFolder}/sessions.json`, 'utf8'))
      expect(Date.parse(sessions[0].lastUsedAt)).toBeGreaterThanOrEqual(before)
      expect(await readdir(server.dataFolder)).not.toContain('lock')
    })
  })

  it('exits at once on a second signal', async () => {
    const server = await startServe({ args: ['--shutdown-grace', '10m'] })
    const token = await signUp(server.url)
    const headers = { Authorization: `Bearer ${token}`, Expect: '100-continue' }
    const upload = request(`${server.url}/files/endless`, { method: 'PUT', headers }).on('error', () => {})
    upload.flushHeaders()
    // The server reads once it has requested the body. A shutdown does not wait for resumable uploads.
    await once(upload, 'continue')
    upload.write('begun')
    server.child.kill('SIGTERM')
    await server.says(/Shutting down/)
    // Signals that follow each other closely are taken for one.
    await eventually('the server is gone', () => {
      server.child.kill('SIGTERM')
      return server.child.exitCode !== null || server.child.signalCode !== null
    })
    expect(await server.ended()).toBe(143)
  })

  it.skipIf(!hasProgram('openssl'))('uses a renewed certificate on SIGHUP, and redirects to https', async () => {
    const [before, after] = [makeCertificate(), makeCertificate()]
    const files = ['--tls-cert', before.certFile, '--tls-key', before.keyFile]
    const server = await startServe({ args: [...files, '--redirect-http', '0'] })
    const [, redirect] = await server.says(/^Redirecting (http:\S+) to https$/m)
    const answer = await fetch(`${redirect}/healthz`, { redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([308, `${server.url}/healthz`])
    await copyFile(after.keyFile, before.keyFile)
    await copyFile(after.certFile, before.certFile)
    server.child.kill('SIGHUP')
    await server.says(/"message":"New connections get a new certificate"/)
    server.child.kill('SIGTERM')
    expect(await server.ended()).toBe(0)
  })

  it.each([
    ['a busy port', async (server: { url: string }) => ['--port', new URL(server.url).port], /listens on .* already/],
    ['a folder in use', async (server: { dataFolder: string }) => ['--data', server.dataFolder], /data/],
  ])('exits with 5 for %s and says what to do', async (_, conflicting, words) => {
    const server = await startServe()
    const client = await openClient()
    const args = ['serve', '--port', '0', '--data', `${client.home}/data`, ...(await conflicting(server))]
    const { code, stdout, stderr } = await client.run(args)
    expect([code, stdout]).toEqual([5, ''])
    expect(stderr).toMatch(/^Error: /)
    expect(stderr).toMatch(words)
    expect(stderr).not.toMatch(/\n {4}at /)
  })

  it.each([
    [['--port', 'x'], /--port/],
    [['--quota', 'much'], /--quota/],
    [['--tls-cert', 'nowhere.pem'], /tls/],
  ])('exits with 2 for %j, naming the flag', async (flags, words) => {
    const client = await openClient()
    const { code, stderr } = await client.run(['serve', '--data', `${client.home}/data`, ...flags])
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
  })

  it('leaves a damaged accounts file unchanged and reports it', async () => {
    const client = await openClient()
    await mkdir(`${client.home}/data`)
    await writeFile(`${client.home}/data/accounts.json`, '{"acc')
    const { code, stderr } = await client.run(['serve', '--port', '0', '--data', `${client.home}/data`])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/accounts\.json/)
  })

  it('closes its connections when it exits', async () => {
    const server = await startServe()
    // Be it by a reset.
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => socket.once('connect', resolve))
    server.child.kill('SIGTERM')
    expect(await server.ended()).toBe(0)
    await closed
  })
})

async function signUp(url: string): Promise<string> {
  const answer = await fetch(`${url}/auth/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: 'correct horse' }),
  })
  return ((await answer.json()) as { token: string }).token
}

onlyLocal('passwords in a database are reset by an administrator', () => {
  describe('filejobs reset-password', () => {
    it('resets a password only while the server is not running', async () => {
      const server = await startServe()
      const client = await openClient(server.url)
      const reset = ['accounts', 'reset-password', 'admin:admin', '--data', server.dataFolder]
      expect((await client.run(reset)).code).toBe(5)
      server.child.kill('SIGTERM')
      await server.ended()
      const { code, stdout, stderr } = await client.run(reset)
      expect([code, stderr]).toEqual([0, expect.stringMatching(/shown only once/)])
      const again = await startServe({ dataFolder: server.dataFolder })
      const env = { FILEJOBS_PASSWORD: stdout.trim() }
      expect((await client.run(['login', 'admin:admin', '--server', again.url], { env })).code).toBe(0)
    })

    it('uses a valid password from stdin', async () => {
      const server = await startServe()
      server.child.kill('SIGTERM')
      await server.ended()
      const client = await openClient()
      const reset = ['accounts', 'reset-password', 'admin:admin', '--data', server.dataFolder, '--password-stdin']
      expect(await client.run(reset, { input: 'short\n' })).toEqual({
        code: 2,
        stdout: '',
        stderr: 'Error: password must have 8 to 72 bytes.\n',
      })
      expect(await client.run(reset, { input: 'battery staple\n' })).toEqual({
        code: 0,
        stdout: 'The password of admin:admin was set; its sessions have ended.\n',
        stderr: '',
      })
      const again = await startServe({ dataFolder: server.dataFolder })
      const env = { FILEJOBS_PASSWORD: 'battery staple' }
      expect((await client.run(['login', 'admin:admin', '--server', again.url], { env })).code).toBe(0)
    })
  })
})
