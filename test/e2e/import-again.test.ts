import { mkdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function openAccount() {
  const { client } = await makeAccount(server)
  const write = (name: string, text: string) => writeFile(`${client.home}/${name}`, text)
  const rows = async (table: string) => {
    const { stdout } = await client.runHere(['rows', table, '--csv'])
    return stdout.split('\n').slice(1, -1).sort()
  }
  const files = async () => (await client.runHere(['ls'])).stdout.trim()
  return { client, write, rows, files, run: client.runHere }
}

describe('filejobs import', () => {
  it('adds the rows, or replaces those of the table', async () => {
    const { write, rows, run } = await openAccount()
    await write('t.csv', 'a\n1\n')
    await run(['import', 't.csv'])
    await write('t.csv', 'a\n2\n')
    await run(['import', 't.csv', '--append'])
    expect(await rows('t')).toEqual(['1', '2'])
    await write('t.csv', 'b\nx\ny\n')
    expect(await run(['import', 't.csv', '--replace'])).toMatchObject({ code: 0, stderr: '' })
    expect(await rows('t')).toEqual(['x', 'y'])
    expect(await run(['import', 't.csv', '--replace', '--append'])).toMatchObject({ code: 2 })
  })

  it('leaves the table as it was if the import that replaces it fails', async () => {
    const { write, rows, run } = await openAccount()
    await write('t.csv', 'a\n1\n')
    await run(['import', 't.csv'])
    await write('bad.csv', 'a\n1,2\n')
    expect(await run(['import', 'bad.csv', '--table', 't', '--replace'])).toMatchObject({ code: 10 })
    expect(await rows('t')).toEqual(['1'])
  })

  it('says that the same bytes were imported before, or refuses them', async () => {
    const { write, rows, run } = await openAccount()
    await write('t.csv', 'a\n1\n')
    const first = JSON.parse((await run(['import', 't.csv', '--once', '--json'])).stdout)
    const refused = await run(['import', 't.csv', '--once'])
    expect(refused).toMatchObject({ code: 6, stdout: '' })
    expect(refused.stderr).toMatch(
      new RegExp(`^Error: t\\.csv was imported into t already as ${first.id} \\(t\\.csv, `),
    )
    const again = await run(['import', 't.csv'])
    expect(again.stderr).toContain(`These bytes were imported already as ${first.id} (t.csv, `)
    expect(again.stderr).toContain(`"filejobs tables rm t ${first.id}"`)
    expect(await rows('t')).toEqual(['1', '1'])
    expect(await run(['import', 't.csv', '--replace', '--once'])).toMatchObject({ code: 0, stderr: '' })
    expect(await rows('t')).toEqual(['1'])
  })

  it('imports all files that match a pattern as one, into the table of their folder', async () => {
    const { client, write, rows, run } = await openAccount()
    await mkdir(`${client.home}/Web logs`)
    await write('Web logs/a.csv', 'a\n1\n')
    await write('Web logs/b.csv', 'a\n2\n')
    await write('Web logs/c.txt', 'z\n3\n')
    const { code, stdout } = await run(['import', 'Web logs/*.csv'])
    expect([code, stdout]).toEqual([
      0,
      'Imported 1 row of 1 column from a.csv into web_logs\nImported 1 row of 1 column from b.csv into web_logs\n',
    ])
    expect(await rows('web_logs')).toEqual(['1', '2'])
    const remote = await run(['import', '[ab].csv', '--remote', '--table', 'again'])
    expect(remote.stdout).toContain('from b.csv into again')
    expect(await run(['import', '*.xyz'])).toMatchObject({ code: 4, stderr: 'Error: No file matches *.xyz.\n' })
  })

  it('publishes nothing of several files if one of them fails, and leaves none of those it uploaded', async () => {
    const { write, files, run } = await openAccount()
    await write('a.csv', 'a\n1\n')
    await run(['upload', 'a.csv'])
    await write('b.csv', 'a\n2\n')
    await write('c.csv', 'a\n1,2\n')
    expect(await run(['import', 'a.csv', 'b.csv', 'c.csv', '--table', 't'])).toMatchObject({ code: 10, stdout: '' })
    expect(await run(['tables', 't'])).toMatchObject({ code: 4 })
    expect(await files()).toMatch(/^[^\n]* a\.csv$/)
    const kept = await run(['import', 'b.csv', 'c.csv', '--table', 't', '--keep'])
    expect(kept.stderr).toContain('c.csv stays on the server.')
    expect(await files()).toMatch(/a\.csv\n.*b\.csv\n.*c\.csv$/)
  })

  it('imports stdin, or the output of a command that succeeds, and keeps no file of it', async () => {
    const { client, rows, files, run } = await openAccount()
    const piped = await client.run(['import', '-', '--table', 'logs'], { input: 'a\n1\n' })
    expect(piped).toMatchObject({ code: 0 })
    const print = (text: string) => [process.execPath, '-e', text]
    const made = await run(['import', '--table', 'logs', '--from-command', '--', ...print("console.log('a\\n2')")])
    expect(made).toMatchObject({ code: 0 })
    expect(await rows('logs')).toEqual(['1', '2'])
    const failing = print("console.log('a\\n3'); process.exitCode = 3")
    expect((await run(['import', '--table', 'logs', '--from-command', '--', ...failing])).code).not.toBe(0)
    expect(await rows('logs')).toEqual(['1', '2'])
    expect(await files()).toBe('')
    expect(await run(['import', '-'])).toMatchObject({ code: 2 })
  })

  it('says which option has no effect because the type of a column stands', async () => {
    const { write, run } = await openAccount()
    await write('t.csv', 'day,n\nsoon,x\n')
    await run(['import', 't.csv'])
    await write('u.csv', 'day,n\n31.12.2024,"1,5"\n')
    const { stderr } = await run(['import', 'u.csv', '--table', 't', '--date-format', '%d.%m.%Y', '--decimal', ','])
    expect(stderr).toContain(
      'Column "day" stays text, as in earlier imports of the table, so "--date-format" has no effect',
    )
    expect(stderr).toContain('Column "n" stays text, as in earlier imports of the table, so "--decimal" has no effect')
    const replaced = await run([
      'import',
      'u.csv',
      '--table',
      't',
      '--date-format',
      '%d.%m.%Y',
      '--decimal',
      ',',
      '--replace',
    ])
    expect(replaced).toMatchObject({ code: 0, stderr: '' })
  })
})
