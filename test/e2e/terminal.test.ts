import { randomBytes } from 'node:crypto'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { eventually } from '../helpers/eventually.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { hasTmux, openTerminal } from '../helpers/terminal.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ rateLimitPerAccount: 2 * 1024 ** 2 })
})
afterAll(() => server.close())

const name = hasTmux ? 'on a terminal' : 'on a terminal (skipped: there is no tmux here)'

describe.skipIf(!hasTmux)(name, () => {
  it('a password is prompted for twice, and never shown', async () => {
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url })
    await terminal.type('filejobs signup ann')
    await terminal.shows(/New password for ann on \S+: $/m)
    await terminal.type('correct horsX')
    await terminal.press('C-u')
    await terminal.shows(/The same again: $/m)
    await terminal.type('other words')
    await terminal.shows(/The two passwords differ/)
    expect(await terminal.screen()).not.toMatch(/horsX|other/)
    await terminal.type('clear')
    // Nothing of before is there to be taken for the next questions.
    await terminal.shows(/^\s*ready>\s*$/)
    await terminal.type('filejobs signup ann')
    for (const question of [/New password[^\n]*: $/m, /The same again: $/m]) {
      await terminal.shows(question)
      await terminal.type('correct horse')
    }
    await terminal.shows(/Logged in to \S+ as user:ann\./)
    expect(await terminal.screen()).not.toMatch(/horse/)
  })

  it('Ctrl-C at a prompt exits with 130 and restores the terminal', async () => {
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url })
    await terminal.type('filejobs login ann')
    await terminal.shows(/Password for ann on \S+: $/m)
    await terminal.press('C-c')
    await terminal.shows(/^ready> $/m)
    await terminal.type('echo code $?')
    await terminal.shows(/code 130 *$/m)
    expect(await terminal.screen()).toMatch(/echo code/)
  })

  it('an import asks whether it may name columns that have no name', async () => {
    const { token, fetch } = await makeAccount(server)
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await writeFile(`${terminal.home}/t.csv`, ',name\n1,Ann\n')
    await terminal.type('filejobs import t.csv')
    await terminal.shows(/Column 1 has no name\.[^?]*Give such columns names\? \[y\/N\] $/m)
    await terminal.type('')
    await terminal.shows(/^Error: Line 1: Column 1 has no name\./m)
    await terminal.shows(/ready>\s*$/)
    expect(await (await fetch('/files')).json()).toMatchObject({ files: [] })
    await terminal.type('clear; filejobs import t.csv')
    await terminal.shows(/Give such columns names\? \[y\/N\] $/m)
    await terminal.type('y')
    await terminal.shows(/Imported 1 row of 2 columns from t\.csv into t/)
    expect(await (await fetch('/tables/t/rows')).json()).toMatchObject({ results: [{ column1: 1, name: 'Ann' }] })
  })

  it('an upload shows a bar with rate and time, and Ctrl-C ends it with its receipt', async () => {
    const { token, files } = await makeAccount(server)
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    // Minutes of it, so that the bar is there for long enough to be seen.
    await writeFile(`${terminal.home}/large.bin`, '')
    await truncate(`${terminal.home}/large.bin`, 400 * 1024 ** 2)
    await terminal.type('filejobs upload large.bin')
    await terminal.shows(/large\.bin \[=+-+\] +\d+% [\d.]+ \w+ of 400\.0 MiB [\d.]+ \w+\/s .* left/)
    await terminal.press('C-c')
    await terminal.shows(/Stopped the upload of large\.bin/)
    await terminal.type('echo code $?')
    await terminal.shows(/code 130 *$/m)
    expect(await terminal.screen()).not.toMatch(/\[=/)
    expect(await files()).toEqual([])
  })

  it('an upload of a folder shows one bar for all files, and its line when it is done', async () => {
    const { token, untilJob, liftLimit, files } = await makeAccount(server)
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await mkdir(`${terminal.home}/photos`)
    for (const name of ['a', 'b']) await writeFile(`${terminal.home}/photos/${name}`, name)
    await writeFile(`${terminal.home}/photos/large`, randomBytes(3 * 1024 ** 2))
    await terminal.type('filejobs upload photos --limit-rate 64K')
    await terminal.shows(/\[[=-]+\] +\d+% 2 of 3 files · [\d.]+( \w+)? of 3\.0 MiB/)
    await liftLimit((await untilJob('upload', 'running')).id)
    await terminal.shows(/Uploaded photos \(3 files, 3\.0 MiB\): 3 new/)
    expect(await terminal.screen()).not.toMatch(/\[[=-]+\]/)
    expect(await files()).toHaveLength(3)
  })

  it('an export to a pipe shows its bar on stderr', async () => {
    const { token, put, jobs, fetch } = await makeAccount(server)
    await put('data.bin', randomBytes(5 * 1024 ** 2))
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await terminal.type('filejobs export data.bin -o - | wc -c')
    const { id } = await eventually('a part has come', async () =>
      (await jobs()).find(({ kind, bytes }) => kind === 'export' && bytes > 1024 ** 2),
    )
    expect((await fetch(`/jobs/${id}/pause`, { method: 'POST' })).status).toBe(200)
    await terminal.shows(/data\.bin \[=+-+\] +\d+%/)
    expect((await fetch(`/jobs/${id}/resume`, { method: 'POST' })).status).toBe(200)
    await terminal.shows(/^5242880$/m)
    expect(await terminal.screen()).not.toMatch(/\[=/)
  })

  it('an export to a terminal shows the file alone', async () => {
    const { token, put } = await makeAccount(server)
    await put('a.txt', 'first line\nlast line\n')
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await terminal.type('filejobs export a.txt -o -; echo code $?')
    await terminal.shows(/^first line\nlast line\ncode 0$/m)
  })

  it('a progress bar erases no line written by the reader of its pipe', async () => {
    const { token, put } = await makeAccount(server)
    await put('data.bin', randomBytes(5 * 1024 ** 2))
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await terminal.type(
      'filejobs export data.bin -o - | { head -c 3000000 | wc -c; echo one; echo two; cat >/dev/null; echo end; }',
    )
    await terminal.shows(/end$/m)
    await terminal.shows(/^ready> $/m)
    // A frame of the bar may come before each of them.
    expect(await terminal.screen()).toMatch(/3000000\n.*one\n.*two\n.*end\n/)
  })

  it('a second upload waits by default, and says for which job; with --quiet there is no bar', async () => {
    const { token, put, client, untilJob } = await makeAccount(server)
    await put('a', 'x')
    client.start(['upload', '-', '--name', 'first']).child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await terminal.type('echo x | filejobs upload - --name second --no-wait; echo "exit code $?"')
    await terminal.shows(/exit code 6$/m)
    await terminal.type('clear; echo x | filejobs upload - --name second')
    await terminal.shows(/Your account is already uploading first: waiting …/)
    await terminal.shows(/second: waiting/)
    await client.run(['stop'])
    await terminal.shows(/second/)
    await terminal.type('clear; filejobs export a --quiet')
    await terminal.shows(/Exported a to a/)
  })
})
