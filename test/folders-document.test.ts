import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAsDocumented, stepsOf, Terminal } from './helpers/document-session.js'
import { cleanEnvironment, programFile } from './helpers/program.js'
import { startServe } from './helpers/serve.js'
import { temporaryFolder } from './helpers/temporary-folder.js'

test('the commands in docs/folders run as printed', async () => {
  const folder = await temporaryFolder()
  writeFileSync(join(folder, 'filejobs'), `#!/bin/sh\nexec "${process.execPath}" "${programFile}" "$@"\n`, {
    mode: 0o755,
  })
  mkdirSync(join(folder, 'photos/2024'), { recursive: true })
  for (const name of ['2024/beach.jpg', 'cat.jpg', 'dog.jpg']) {
    writeFileSync(join(folder, 'photos', name), name.padEnd(100 * 1024))
  }
  const server = await startServe()
  const terminal = new Terminal(folder, {
    ...cleanEnvironment(folder),
    PATH: `${folder}:${process.env.PATH}`,
    FILEJOBS_SERVER: server.url,
    FILEJOBS_PASSWORD: 'correct horse',
  })
  await terminal.run('filejobs signup ann')
  for (const { command, output } of stepsOf('docs/folders.md')) {
    const printed = await terminal.run(command)
    expect(isAsDocumented(printed, output), `${command}\nprinted:    ${printed}\ndocumented: ${output}`).toBe(true)
  }
}, 120_000)
