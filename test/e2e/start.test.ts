import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cleanEnvironment } from '../helpers/program.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** The threads of a process; 0 where the system does not tell. */
function threadsOf(pid: number | undefined): number {
  return existsSync('/proc/self/task') ? readdirSync(`/proc/${pid}/task`).length : 0
}

describe('npm start', () => {
  it('prints the URL first, passes arguments on, and shuts down cleanly on one signal', async () => {
    const folder = await temporaryFolder()
    const script = fileURLToPath(new URL('../../scripts/start.cjs', import.meta.url))
    const args = [script, '--port', '0', '--data', folder, '--bcrypt-cost', '4']
    const child = spawn(process.execPath, args, { env: cleanEnvironment(folder), stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(child, 'exit')
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })

    const [line] = await once(createInterface(child.stdout), 'line')
    expect(line).toMatch(/^Listening on http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${line.replace('Listening on ', '')}/healthz`)).status).toBe(200)
    // Those for file operations, and others.
    if (threadsOf(process.pid) > 0) expect(threadsOf(child.pid)).toBeGreaterThan(16)
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
  })
})

describe('the threads for file operations', () => {
  const pool = fileURLToPath(new URL('../../bin/thread-pool.js', import.meta.url))
  /** Prints how many threads are started, and the setting that commands would inherit. */
  const script = `
    const { readdirSync } = require('node:fs')
    const count = () => readdirSync('/proc/self/task').length
    const before = count()
    require(${JSON.stringify(pool)})
    console.log(count() - before, process.env.UV_THREADPOOL_SIZE)`

  it.skipIf(threadsOf(process.pid) === 0).each([
    ['are sixteen, which commands do not inherit', {}, '16 undefined'],
    ['are as many as the user has set', { UV_THREADPOOL_SIZE: '2' }, '0 2'],
  ])('%s', (_, env, printed) => {
    const { stdout } = spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' })
    expect(stdout.trim()).toBe(printed)
  })
})
