import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function openAccount(files: Record<string, string>) {
  const { client } = await makeAccount(server)
  for (const [name, content] of Object.entries(files)) await writeFile(`${client.home}/${name}`, content)
  return { run: client.runHere, files: async () => (await client.runHere(['ls', '--json'])).stdout }
}

describe('filejobs import --check', () => {
  it('lists all faults, exits with 10, and leaves neither rows nor the uploaded file', async () => {
    const { run, files } = await openAccount({ 'a.csv': `a,b\n1,x\n2\n3,y,z\n${'4,v\n'.repeat(20)}` })
    expect(await run(['import', '--check', 'a.csv'])).toEqual({
      code: 10,
      stdout: [
        'a.csv has 2 faults:',
        '  line 3, at byte 8: 1 field instead of 2 in "2"',
        '  line 4, at byte 10: 3 fields instead of 2 in "3,y,z"',
        '',
      ].join('\n'),
      stderr: '"--skip-bad-lines" (skipBadLines) leaves such lines out.\n',
    })
    expect(await files()).toBe('')
    expect((await run(['tables'])).stdout).not.toContain('a')
  })

  it('exits with 0 if there are none', async () => {
    const { run, files } = await openAccount({ 'a.csv': 'a,b\n1,x\n' })
    const found = await run(['import', '--check', 'a.csv'])
    expect(found).toEqual({ code: 0, stdout: 'a.csv can be imported: 1 row of 2 columns.\n', stderr: '' })
    expect(await files()).toBe('')
  })

  it('prints a value for each file with --json', async () => {
    const { run } = await openAccount({ 'a.csv': 'a,b\n1,x\n', 'b.csv': 'a,b\n1\n2,3\n' })
    const { code, stdout } = await run(['import', '--check', 'a.csv', 'b.csv', '--json'])
    const values = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(code).toBe(10)
    expect(values).toMatchObject([
      { file: 'a.csv', rows: 1, faults: { count: 0 } },
      { file: 'b.csv', rows: 1, faults: { count: 1, first: [{ line: 2, offset: 4, text: '1' }] } },
    ])
  })

  it('leaves a file that is on the server', async () => {
    const { run, files } = await openAccount({ 'a.csv': 'a,b\n1\n' })
    await run(['upload', 'a.csv'])
    expect((await run(['import', '--check', 'a.csv', '--remote'])).code).toBe(10)
    expect((await run(['import', '--check', 'a.csv'])).code).toBe(10)
    expect(await files()).toContain('a.csv')
  })
})
