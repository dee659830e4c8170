import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { cleanEnvironment } from '../../helpers/program.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The program as it is where optional dependencies were left out. */
async function installWithoutEngine(): Promise<string> {
  const folder = await temporaryFolder()
  for (const part of ['bin', 'dist', 'package.json'])
    await cp(join(root, part), join(folder, part), { recursive: true })
  await mkdir(join(folder, 'node_modules'))
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === '@duckdb' || name.startsWith('.')) continue
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  return folder
}

async function serve(folder: string): Promise<string> {
  const args = [join(folder, 'bin/filejobs.js'), 'serve', '--port', '0', '--data', join(folder, 'data')]
  const child = spawn(process.execPath, [...args, '--bcrypt-cost', '4'], {
    env: cleanEnvironment(folder),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return /http:\S+/.exec(line)![0]
}

it('without the engine, tables are answered 501 with the install command, and all other routes work', async () => {
  const url = await serve(await installWithoutEngine())
  const signup = await fetch(`${url}/auth/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password: 'correct horse' }),
  })
  const caller = new Caller({ url }, ((await signup.json()) as { token: string }).token)
  expect((await caller.put('a.csv', 'x\n1\n')).status).toBe(201)
  for (const answer of [
    await caller.post('/import', { filename: 'a.csv' }),
    await caller.call('/tables'),
    await caller.call('/tables/a'),
    await caller.call('/tables/a/rows'),
    await caller.call('/tables/a/rows', { headers: { Accept: 'text/csv' } }),
    await caller.call('/tables/a/summary'),
    await caller.call('/tables/a/facets'),
    await caller.post('/query', { sql: 'select 1' }),
  ]) {
    expect(answer.json).toMatchObject({ status: 501, code: 'tables-unavailable' })
    expect(answer.json.message).toContain('npm install @duckdb/node-api')
  }
  expect((await caller.call('/jobs')).json.jobs).toMatchObject([{ kind: 'upload', state: 'done' }])
  expect((await caller.call('/files/a.csv')).body.toString()).toBe('x\n1\n')
})
