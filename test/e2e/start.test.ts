import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cleanEnvironment } from '../helpers/program.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('npm start', () => {
  it('prints the URL first, passes arguments on, and shuts down cleanly on one signal', async () => {
    const folder = await temporaryFolder()
    const script = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url))
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
    child.kill('SIGINT')
    expect(await ended).toEqual([0, null])
  })
})
