import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { cleanEnvironment, startProgram } from '../helpers/program.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** Starts `filejobs serve` on a folder whose lock another machine may hold, which it watches for 20 s. */
async function startSlowly() {
  const home = await temporaryFolder()
  await mkdir(`${home}/data`)
  const holder = { pid: 1, startTime: null, host: 'another-machine', token: 'a' }
  await writeFile(`${home}/data/lock`, JSON.stringify(holder))
  const running = startProgram(['serve', '--port', '0', '--data', `${home}/data`], { env: cleanEnvironment(home) })
  await eventually('it looks at the lock', async () =>
    (await readdir(`${home}/data`)).some((n) => n.startsWith('lock.')),
  )
  return running
}

describe('a signal during the start of serve', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s ends the process', async (signal, code) => {
    const running = await startSlowly()
    running.child.kill(signal)
    expect(await running.ended()).toBe(code)
    expect(running.stdout).toBe('')
  })
})

it.skipIf(process.platform !== 'linux')('a data folder that cannot be created is rejected', async () => {
  const home = await temporaryFolder()
  const args = ['serve', '--port', '0', '--data', '/proc/none/data']
  const running = startProgram(args, { env: cleanEnvironment(home) })
  expect(await running.ended()).toBe(1)
  expect(running.stderr).toMatch(/data folder \/proc\/none\/data cannot be used \(ENOENT\)/)
})
