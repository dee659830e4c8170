import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { fencedBlocks, replaced } from '../helpers/fenced.js'
import { runNginx } from '../helpers/nginx.js'
import { startOutside } from '../helpers/outside-program.js'
import { freePort } from '../helpers/ports.js'
import { adminPassword, type ServeProcess, startServe } from '../helpers/serve.js'
import { hasProgram, run } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const host = 'files.example.com'
/** Starts the documented configuration in `folder`, listening on `port` in front of `server`. */
type StartProxy = (folder: string, port: number, server: ServeProcess) => Promise<void>

describe.each([
  { proxy: 'nginx', programs: ['nginx', 'openssl', 'curl'], start: startNginx },
  { proxy: 'caddy', programs: ['caddy', 'curl'], start: startCaddy },
])('behind $proxy as configured in docs/deploy.md, the client', ({ programs, start }) => {
  const missing = programs.filter((name) => !hasProgram(name))

  it.skipIf(missing.length > 0)(
    `logs in, uploads, exports and stops${missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : ''}`,
    async () => {
      const site = await openSite(start)
      const { token } = await site.call(
        '/auth/login',
        '-d',
        JSON.stringify({ username: 'ann', password: 'her password' }),
      )
      // The header that nginx drops by default.
      const as = ['-H', `auth_token: ${token}`]

      const source = join(site.folder, 'source.bin')
      const copy = join(site.folder, 'copy.bin')
      writeFileSync(source, randomBytes(8 * 1024 ** 2))
      await site.call('/files/a.bin', ...as, '-T', source)
      await site.curl(...as, '-o', copy, `${site.url}/files/a.bin`)
      expect(readFileSync(copy).equals(readFileSync(source))).toBe(true)

      const upload = site.curl(...as, '-T', '/dev/zero', '--limit-rate', '1M', `${site.url}/files/endless.bin`)
      await site.runs(as, 'upload')
      const receipt = await site.call('/upload/stop', ...as, '-X', 'POST')
      expect(receipt).toMatchObject({ stoppedBy: 'user:ann', cleanedUp: true })
      expect(JSON.parse((await upload).stdout)).toMatchObject({ status: 409, code: 'job-stopped' })

      const large = join(site.folder, 'large.bin')
      writeFileSync(large, Buffer.alloc(32 * 1024 ** 2))
      await site.call('/files/large.bin', ...as, '-T', large)
      const held = site.curl(...as, '-H', 'Filejobs-Rate-Limit: 1000000', '-T', large, `${site.url}/files/held.bin`)
      const { id } = await site.runs(as, 'upload')
      await site.call(`/jobs/${id}/pause`, ...as, '-X', 'POST')
      const ndjson = ['-H', 'Accept: application/x-ndjson']
      const events = startOutside('curl', [...site.way, '-N', ...as, ...ndjson, `${site.url}/jobs/events`])
      await events.says(/"event":"snapshot",.*"state":"paused"/)
      events.child.kill()
      // For long enough that filejobs would ask a sender without a proxy whether it lives.
      await delay(7000)
      await site.call(`/jobs/${id}`, ...as, '-X', 'PATCH', '-d', '{"rateLimit":null}')
      await site.call(`/jobs/${id}/resume`, ...as, '-X', 'POST')
      expect(JSON.parse((await held).stdout)).toMatchObject({ name: 'held.bin', size: 32 * 1024 ** 2 })

      const exporting = site.curl(...as, '--limit-rate', '1M', '-o', copy, `${site.url}/files/large.bin`)
      await site.runs(as, 'export')
      await site.call('/export/stop', ...as, '-X', 'POST')
      expect((await exporting).code).not.toBe(0)
    },
    240_000,
  )
})

/** A server with the documented flags and an account, the proxy in front, and curl that knows the way. */
async function openSite(start: StartProxy) {
  const folder = await temporaryFolder()
  const port = await freePort()
  const url = `https://${host}:${port}`
  const server = await startServe({ args: documentedFlags(url) })
  await start(folder, port, server)

  const way = ['-sS', '-k', '--resolve', `${host}:${port}:127.0.0.1`]
  const curl = (...args: string[]) => run('curl', [...way, ...args])
  const call = async (path: string, ...args: string[]) => {
    const type = args.includes('-d') ? ['-H', 'Content-Type: application/json'] : []
    const { stdout, stderr, code } = await curl('--fail-with-body', ...type, ...args, url + path)
    expect({ path, code, stdout: code === 0 ? '' : stdout, stderr }).toEqual({ path, code: 0, stdout: '', stderr: '' })
    return JSON.parse(stdout)
  }
  await eventually('the proxy answers', async () => (await curl('-f', `${url}/healthz`)).code === 0)

  const admin = { username: 'admin', password: adminPassword, role: 'admin' }
  const { token } = await call('/auth/login', '-d', JSON.stringify(admin))
  const ann = { username: 'ann', password: 'her password', role: 'user' }
  await call('/accounts', '-H', `Authorization: Bearer ${token}`, '-d', JSON.stringify(ann))
  return {
    folder,
    url,
    way,
    curl,
    call,
    runs: (as: string[], kind: string) =>
      eventually(`an ${kind} runs`, async () => {
        const { jobs } = await call(`/jobs?state=running&kind=${kind}`, ...as)
        return jobs[0]?.bytes > 0 && jobs[0]
      }),
  }
}

/** The arguments of `serve` in the systemd unit, with this site's URL and the test's data folder. */
function documentedFlags(url: string): string[] {
  const [line] = fencedBlocks('docs/deploy.md', 'ini')[0]!.match(/(?<=^ExecStart=.* serve ).*$/m)!
  const flags = line.split(' ')
  flags.splice(flags.indexOf('--data'), 2)
  return flags.map((flag) => (flag === `https://${host}` ? url : flag))
}

async function startNginx(folder: string, port: number, server: ServeProcess): Promise<void> {
  const [certificate, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name))
  const subject = ['-subj', `/CN=${host}`, '-days', '1', '-keyout', key!, '-out', certificate!]
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject])
  const documented = replaced(fencedBlocks('docs/deploy.md', 'nginx')[0]!, {
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    '/etc/letsencrypt/live/files.example.com/fullchain.pem': certificate!,
    '/etc/letsencrypt/live/files.example.com/privkey.pem': key!,
    'http://127.0.0.1:8080': server.url,
  })
  onTestFinished(await runNginx(folder, documented))
}

async function startCaddy(folder: string, port: number, server: ServeProcess): Promise<void> {
  const config = join(folder, 'Caddyfile')
  const documented = replaced(fencedBlocks('docs/deploy.md', 'caddyfile')[0]!, {
    [`${host} {`]: `${host}:${port} {\n\tbind 127.0.0.1`,
    '127.0.0.1:8080': new URL(server.url).host,
  })
  // Certificates of its own making, and nothing outside the folder.
  const global = `admin off\n auto_https disable_redirects\n local_certs\n skip_install_trust\n storage file_system ${folder}`
  writeFileSync(config, `{\n ${global}\n}\n${documented}`)
  const child = spawn('caddy', ['run', '--config', config, '--adapter', 'caddyfile'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
}
