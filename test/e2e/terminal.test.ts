import { randomBytes } from 'node:crypto'
import { truncate, writeFile } from 'node:fs/promises'
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
  it('a password is asked for twice, and never shown', async () => {
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

  it('Ctrl-C at a prompt ends with 130 and leaves the terminal as it was', async () => {
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url })
    await terminal.type('filejobs login ann')
    await terminal.shows(/Password for ann on \S+: $/m)
    await terminal.press('C-c')
    await terminal.shows(/^ready> $/m)
    await terminal.type('echo code $?')
    await terminal.shows(/code 130 *$/m)
    expect(await terminal.screen()).toMatch(/echo code/)
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

  it('an export to a pipe shows its bar beside it', async () => {
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

  it('there is no bar with --quiet, and waiting is said', async () => {
    const { token, put, client, untilJob } = await makeAccount(server)
    await put('a', 'x')
    client.start(['upload', '-', '--name', 'first']).child.stdin?.write('begun')
    await untilJob('upload', 'running')
    const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
    await terminal.type('echo x | filejobs upload - --name second --wait')
    await terminal.shows(/second: waiting for its turn/)
    await client.run(['stop'])
    await terminal.shows(/second/)
    await terminal.type('clear; filejobs export a --quiet')
    await terminal.shows(/Exported a to a/)
  })
})
