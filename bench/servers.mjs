import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { end, root } from './lab.mjs'

/**
 * Starts `filejobs serve` with an account of its own, unless `token` is that of an account it knows. `flags` and `env` are added;
 * `data` and `port` default to new ones.
 */
export async function startFilejobs(lab, options = {}) {
  const { flags = [], env = {}, data = lab.folder('data'), port = 0 } = options
  const args = [lab.program, 'serve', '--port', String(port), '--data', data, ...flags]
  const { child, line } = await lab.startAndRead(process.execPath, args, {
    env: { FILEJOBS_ADMIN_PASSWORD: 'bench-password', NODE_ENV: 'production', ...env },
    quiet: true,
  })
  const url = line.replace('Listening on ', '')
  const token = options.token ?? (await signUp(url, 'bench'))
  return {
    url,
    token,
    data,
    pid: child.pid,
    child,
    /** The curl arguments that every request of the account needs. */
    as: ['-H', `Authorization: Bearer ${token}`],
    /** An API call as JSON. */
    async call(path, init = {}) {
      const headers = { authorization: `Bearer ${token}`, ...(init.body && { 'content-type': 'application/json' }) }
      const response = await fetch(url + path, { ...init, headers: { ...headers, ...init.headers } })
      const text = await response.text()
      if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${text}`)
      return text === '' ? undefined : JSON.parse(text)
    },
    /** The file of the account on the disk. */
    file: (name) => join(data, 'uploads/user/bench', name),
    stop: (signal) => end(child, signal),
  }
}

export function signUp(url, username) {
  return authenticate(`${url}/auth/signup`, { username })
}

export function logInAdmin({ url }) {
  return authenticate(`${url}/auth/login`, { role: 'admin', username: 'admin' })
}

async function authenticate(url, account) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...account, password: 'bench-password' }),
  })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return (await response.json()).token
}

/** The tokens of new accounts. */
export async function signUpMany({ url }, count) {
  const tokens = []
  while (tokens.length < count) tokens.push(await signUp(url, `bench-${tokens.length}`))
  return tokens
}

/** nginx with WebDAV PUT and sendfile, its temporary folder on the disk of its files, so that it publishes by rename. */
export async function startNginx(lab) {
  const folder = lab.folder('nginx')
  const files = join(folder, 'files')
  mkdirSync(files)
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  writeFileSync(
    config,
    `${userInfo().uid === 0 ? `user ${userInfo().username};` : ''}
daemon off;
worker_processes auto;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  sendfile on;
  tcp_nopush on;
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    client_body_buffer_size 1m;
    location / { root ${files}; dav_methods PUT; }
  }
}
`,
  )
  const args = ['-p', folder, '-c', config, '-e', join(folder, 'error.log')]
  // Killed outright, it would leave its workers behind.
  const child = lab.start('nginx', args, { quiet: true, endSignal: 'SIGTERM' })
  const url = `http://127.0.0.1:${port}`
  await answers(url)
  return { url, files, stop: () => end(child) }
}

/** One of bench/peers: a program on Node that prints its port. */
export async function startPeer(lab, name) {
  const folder = lab.folder(name)
  const { child, line } = await lab.startAndRead(process.execPath, [join(root, `bench/peers/${name}.mjs`), folder], {
    env: { NODE_ENV: 'production' },
  })
  return { url: `http://127.0.0.1:${line}`, folder, stop: () => end(child) }
}

/** Installs the peers that run on Node, once; says whether they are there. */
export function installPeers() {
  const folder = join(root, 'bench/peers')
  if (existsSync(join(folder, 'node_modules'))) return true
  console.error('Installing the programs to compare with (bench/peers) …')
  const done =
    spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] }).status === 0
  if (!done) rmSync(join(folder, 'node_modules'), { recursive: true, force: true })
  return done
}

export async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port.')
  return address.port
}

async function answers(url) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await fetch(url)
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`${url} does not answer.`)
}
