import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { hasProgram, run } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
const nodeUser = 1000

/**
 * The contents of the image in a folder: `app/` with its packages, and an empty `data/`. Without an engine that could build it,
 * the copied files and the command can still be tested.
 */
async function assembleImage(): Promise<string> {
  const image = await temporaryFolder()
  chmodSync(image, 0o755)
  expect(dockerfile).toContain('\nWORKDIR /app\n')
  const copied = [...dockerfile.matchAll(/^COPY --from=build (.+) (\S+)$/gm)].flatMap(([, from]) => from!.split(' '))
  expect(copied).toContain('/src/node_modules')
  for (const path of copied.map((from) => from.replace('/src/', ''))) {
    if (path !== 'node_modules') cpSync(join(root, path), join(image, 'app', path), { recursive: true })
  }
  // As `npm prune --omit=dev` leaves it.
  const { stdout } = await run('npm', ['ls', '--omit=dev', '--all', '--parseable', '--prefix', root])
  const packages = stdout.split('\n').filter((path) => path.startsWith(join(root, 'node_modules')))
  expect(packages.length).toBeGreaterThan(20)
  for (const path of packages) {
    const nested = (source: string) => !relative(path, source).split('/').includes('node_modules')
    cpSync(path, join(image, 'app', relative(root, path)), { recursive: true, filter: nested })
  }
  mkdirSync(join(image, 'bin'))
  symlinkSync(join(image, 'app/bin/filejobs.js'), join(image, 'bin/filejobs'))
  mkdirSync(join(image, 'data'), { mode: 0o700 })
  return image
}

/** The variables of the Dockerfile and of docker-compose.yml, for another folder and a free port. */
function environment(image: string): Record<string, string> {
  const fromDockerfile = [...dockerfile.matchAll(/^ENV (.+)$/gm)].flatMap(([, pairs]) => pairs!.split(' '))
  const fromCompose = [...compose.matchAll(/^ {6}(FILEJOBS_\w+): (.+)$/gm)].map(([, name, value]) => `${name}=${value}`)
  const pairs = [...fromDockerfile, ...fromCompose].map((pair) => pair.split('=') as [string, string])
  const variables = Object.fromEntries(pairs.map(([name, value]) => [name, value.replace(/^\$\{.*-\}$/, '')]))
  const path = `${join(image, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`
  return {
    ...variables,
    PATH: path,
    FILEJOBS_DATA: join(image, 'data'),
    FILEJOBS_PORT: '0',
    FILEJOBS_BCRYPT_COST: '4',
  }
}

/** Root becomes the user of the image, with a root folder that it cannot write to, where the system lets it. */
async function asOtherUser(image: string): Promise<string[]> {
  if (process.getuid?.() !== 0 || !hasProgram('unshare') || !hasProgram('setpriv')) return []
  chownSync(join(image, 'data'), nodeUser, nodeUser)
  const drop = ['setpriv', `--reuid=${nodeUser}`, `--regid=${nodeUser}`, '--clear-groups', '--no-new-privs', '--']
  const readOnly = `mount --bind "$0/data" "$0/data" && mount -o remount,ro,bind / && cd "$0/app" && exec "$@"`
  const fenced = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', readOnly, image, ...drop]
  for (const command of [fenced, drop]) {
    const [program, ...args] = [...command, process.execPath, '-e', '0']
    if ((await run(program!, args)).code === 0) return command
  }
  return []
}

/** The words of a command in the Dockerfile. */
function command(line: RegExp): string[] {
  return JSON.parse(line.exec(dockerfile)![1]!)
}

function start(words: readonly string[], env: Record<string, string>, cwd: string): ChildProcess {
  const child = spawn(words[0]!, words.slice(1), { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

it('the container runs as another user, and can write to its volume only', async () => {
  const image = await assembleImage()
  const env = environment(image)
  const fence = await asOtherUser(image)
  const healthCheck = command(/^HEALTHCHECK .* CMD (\[.*\])$/m)
  const health = async (port: string) => {
    const words = healthCheck.map((word) => word.replace(':8080/', `:${port}/`))
    return (await once(start([...fence, ...words], env, image), 'exit'))[0]
  }
  // Nothing listens there.
  expect(await health('1')).toBe(1)

  const server = start([...fence, ...command(/^CMD (\[.*\])$/m)], env, join(image, 'app'))
  let words = ''
  for (const stream of [server.stdout!, server.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      words += text
    })
  }
  await eventually('it listens', () => /Listening on .*\n/.test(words) || server.exitCode !== null, 60_000)
  const [, port] = /Listening on http:\/\/0\.0\.0\.0:(\d+)\n/.exec(words) ?? expect.unreachable(words)
  expect(await health(port!)).toBe(0)

  const url = `http://127.0.0.1:${port}`
  const json = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ username: 'xritzx', password: 'helloatlan' })
  const signup = await fetch(`${url}/auth/signup`, { method: 'POST', headers: json, body })
  expect(signup.status).toBe(201)
  const { token } = (await signup.json()) as { token: string }
  const as = { Authorization: `Bearer ${token}` }
  const form = new FormData()
  form.append('file', new File(['team\nSossetceh\n'], 'teams.csv'))
  expect((await fetch(`${url}/upload/`, { method: 'POST', headers: as, body: form })).status).toBe(201)
  // The engine of tables is there, and its processes write nowhere else either.
  const imported = await fetch(`${url}/import`, {
    method: 'POST',
    headers: { ...as, ...json, Prefer: 'wait=40' },
    body: JSON.stringify({ filename: 'teams.csv', header: true }),
  })
  expect([imported.status, await imported.json()]).toMatchObject([200, { import: { rows: 1 } }])

  const { uid } = statSync(join(image, 'data/accounts.json'))
  expect(uid).toBe(fence.length > 0 ? nodeUser : process.getuid?.())
  if (fence[0] === 'unshare') {
    const writing = start([...fence, 'touch', join(image, 'app/written')], env, image)
    expect(await once(writing, 'exit')).toEqual([1, null])
  }

  server.kill('SIGTERM')
  expect(await once(server, 'exit')).toEqual([0, null])
}, 240_000)

it('docker-compose.yml serves on port 80 of its machine alone, with a named volume and signup open', () => {
  const [, inside = ''] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? []
  expect(compose).toContain(`- "127.0.0.1:80:${inside}"`)
  expect(compose).not.toMatch(/^\s+- "80:/m)
  expect(dockerfile).toContain(`FILEJOBS_PORT=${inside}`)
  expect(compose).toMatch(/^ {6}FILEJOBS_SIGNUP: open$/m)
  expect(compose).toMatch(/^ {6}- data:\/data$[\s\S]*^volumes:\n {2}data:$/m)
  expect(dockerfile).toMatch(/^USER node$/m)
})
