import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type OptionName, serverOptions, variableOf } from '../../dist/protocol/options/server-options.js'
import { type Answer, Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { freePort } from '../helpers/ports.js'
import { hasProgram } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { hasCluster, startCluster } from './helpers/servers.js'

const [compose, kubernetes, dockerfile] = ['compose.cluster.yml', 'docs/kubernetes.yml', 'Dockerfile'].map((name) =>
  readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'),
) as [string, string, string]

describe('compose.cluster.yml and docs/kubernetes.yml', () => {
  it('set options that exist, and the port of the image', () => {
    const known = (Object.keys(serverOptions) as OptionName[]).map(variableOf)
    const used = [...`${compose}${kubernetes}`.matchAll(/\bFILEJOBS_[A-Z_]+/g)].map(([name]) => name)
    expect(used.filter((name) => !known.includes(name))).toEqual([])
    expect(used).toContain('FILEJOBS_DATABASE')
    const [, port] = /^EXPOSE (\d+)$/m.exec(dockerfile)!
    expect(compose).toContain(`reverse_proxy node1:${port} node2:${port} node3:${port} {`)
    expect(kubernetes).toContain(`containerPort: ${port} }`)
  })

  it('leave more time to end than transfers have', () => {
    const seconds = (pattern: RegExp) => Number(pattern.exec(kubernetes)![1])
    const grace = seconds(/FILEJOBS_SHUTDOWN_GRACE, value: "(\d+)s"/)
    expect(seconds(/terminationGracePeriodSeconds: (\d+)/)).toBeGreaterThan(grace + seconds(/\["sleep", "(\d+)"\]/))
    expect(compose).toContain('stop_grace_period: 30s')
  })
})

describe.skipIf(!hasCluster || !hasProgram('caddy'))('three servers behind Caddy as in compose.cluster.yml', () => {
  it('answer while one is killed and another one ends in good order', async () => {
    const cluster = await startCluster(3)
    const url = await startCaddy(cluster.servers.map((server) => new URL(server.url).host))
    const [token] = (await cluster.logIn('ann')).map((caller) => caller.token)
    const ann = new Caller({ url }, token!)
    // What was under way on the server that ends is the client's to repeat, and its slots are free within ten seconds.
    const repeated = (what: string, work: () => Promise<Answer>) =>
      eventually(what, async () => {
        const answer = await work()
        return ![409, 502, 503].includes(answer.status) && answer
      })
    for (const [index, signal] of (['SIGCONT', 'SIGKILL', 'SIGTERM'] as const).entries()) {
      cluster.servers[index]!.child.kill(signal)
      if (signal !== 'SIGCONT') await cluster.servers[index]!.ended()
      for (let count = 0; count < 10; count++) {
        const name = `${index}-${count}`
        expect(await repeated('an upload', () => ann.put(name, 'content'))).toMatchObject({
          status: 201,
          json: { name },
        })
        expect(String((await repeated('a download', () => ann.call(`/files/${name}`))).body)).toBe('content')
        // Others may be sent to another server.
        const other = new Caller({ url }, `other ${count}`)
        expect((await repeated('a refusal', () => other.call('/files'))).status).toBe(401)
      }
    }
  })
})

/** Caddy with the configuration of the document, in front of these hosts. */
async function startCaddy(hosts: readonly string[]): Promise<string> {
  const port = await freePort()
  const folder = await temporaryFolder()
  const [, block] = /^ {4}content: \|\n((?: {6}.*\n|\n)+)/m.exec(compose)!
  const config = ['node1:8080', 'node2:8080', 'node3:8080'].reduce((text, name, index) => {
    expect(text).toContain(name)
    return text.replace(name, hosts[index]!)
  }, block!)
  expect(config).toMatch(/^ {6}:80 \{/)
  const path = join(folder, 'Caddyfile')
  await writeFile(
    path,
    `{\n admin off\n storage file_system ${folder}\n}\n${config.replace(':80 {', `http://127.0.0.1:${port} {`)}`,
  )
  const child = spawn('caddy', ['run', '--config', path, '--adapter', 'caddyfile'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const url = `http://127.0.0.1:${port}`
  await eventually('Caddy answers', () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return url
}
