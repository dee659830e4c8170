import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Caller } from './helpers/calls.js'
import { describeWithCurl } from './helpers/curl.js'
import { isAsDocumented, stepsOf, Terminal } from './helpers/document-session.js'
import { cleanEnvironment } from './helpers/program.js'
import { startServe } from './helpers/serve.js'
import { temporaryFolder } from './helpers/temporary-folder.js'

const documentedUrl = 'http://127.0.0.1:8080'

describeWithCurl('docs/api.md', () => {
  test('the session with a job of many files runs as printed', async () => {
    const folder = await temporaryFolder()
    for (const name of ['a', 'b']) await writeFile(`${folder}/${name}.jpg`, 'photo\n')
    const server = await startServe()
    const account = { username: 'ann', password: 'correct horse' }
    const { token } = (await new Caller(server, '').post('/auth/signup', account)).json
    const terminal = new Terminal(folder, { ...cleanEnvironment(folder), TOKEN: token })
    const steps = stepsOf('docs/api.md', 'Jobs of many files')
    expect(steps.length).toBeGreaterThan(4)
    for (const { command, output } of steps) {
      const printed = await terminal.run(command.replaceAll(documentedUrl, server.url))
      expect(isAsDocumented(printed, output), `${command}\nprinted:    ${printed}\ndocumented: ${output}`).toBe(true)
    }
  })
})
