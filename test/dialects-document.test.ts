import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeWithCurl } from './helpers/curl.js'
import { isAsDocumented, stepsOf, Terminal } from './helpers/document-session.js'
import { eventually } from './helpers/eventually.js'
import { fencedBlocks } from './helpers/fenced.js'
import { cleanEnvironment } from './helpers/program.js'
import { startServe } from './helpers/serve.js'
import { temporaryFolder } from './helpers/temporary-folder.js'

const document = 'docs/dialects.md'
const documentedUrl = 'http://127.0.0.1:8080'

describeWithCurl(document, () => {
  test('the sessions in docs/dialects run as printed', async () => {
    const folder = await temporaryFolder()
    const env = cleanEnvironment(folder)
    const [preparation = ''] = fencedBlocks(document, 'sh')
    const [serving, ...files] = preparation.trimEnd().split('\n').reverse()
    expect(serving).toBe('filejobs serve --users usersData.json')
    await new Terminal(folder, env).run(files.reverse().join('\n'))

    const server = await startServe({ args: ['--users', `${folder}/usersData.json`] })
    const terminal = new Terminal(folder, { ...env, B: server.url })
    const jobs = async (query: string) => {
      const token = terminal.variables.get('TOKEN') ?? ''
      const answer = await fetch(`${server.url}/jobs?${query}`, { headers: { Authorization: `Bearer ${token}` } })
      return ((await answer.json()) as { jobs: { bytes: number }[] }).jobs
    }
    for (const { command, output } of stepsOf(document)) {
      if (/^sleep \d+$/.test(command)) {
        await eventually('the import is done', async () => (await jobs('kind=import&state=done')).length > 0, 25_000)
        continue
      }
      const printed = (await terminal.run(command)).replaceAll(server.url, documentedUrl)
      expect(isAsDocumented(printed, output), `${command}\nprinted:    ${printed}\ndocumented: ${output}`).toBe(true)
      if (command.endsWith(' &')) {
        await eventually('it runs', async () => (await jobs('state=running')).some(({ bytes }) => bytes > 0))
      }
    }
  }, 240_000)

  test('docs/dialects covers every document', () => {
    const headings = readFileSync(new URL(`../${document}`, import.meta.url), 'utf8').match(/^## /gm)
    expect(headings).toHaveLength(5)
  })
})
