import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.js'
import { freePort } from './ports.js'
import { temporaryFolder } from './temporary-folder.js'

/**
 * Starts an nginx that has nothing set but where to pass requests on to, in turn; answers with its URL. Ends with the test.
 */
export async function startDefaultNginx(upstreams: string | readonly string[]): Promise<string> {
  const port = await freePort()
  const servers = [upstreams].flat().map((url) => `server ${new URL(url).host};`)
  const close = await runNginx(
    await temporaryFolder(),
    `upstream filejobs { ${servers.join(' ')} }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://filejobs; proxy_set_header Host $http_host; } }`,
  )
  onTestFinished(close)
  const url = `http://127.0.0.1:${port}`
  await untilServed(url)
  return url
}

/** Starts an nginx with these directives of the context `http`, and its files in a folder. Returns what ends it. */
export async function runNginx(folder: string, directives: string): Promise<() => Promise<void>> {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const temporary = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')
  const user = userInfo().uid === 0 ? 'user root;' : ''
  await writeFile(
    `${folder}/nginx.conf`,
    `${user} daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http { access_log off; ${temporary} ${directives} }`,
  )
  const child = spawn('nginx', ['-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  return async () => {
    // Killed outright, nginx would leave its workers behind.
    child.kill('SIGTERM')
    await ended
  }
}

/** Waits until a proxy passes requests on. */
export async function untilServed(url: string): Promise<void> {
  await eventually('the proxy answers', () =>
    fetch(`${url}/healthz`)
      .then(({ ok }) => ok)
      .catch(() => false),
  )
}
