import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount, type TestAccount } from '../helpers/account.js'
import { openClient } from '../helpers/program.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

/** An ops account that publishes three files, and a client. */
async function publish(): Promise<{ ops: string; client: TestAccount }> {
  const publisher = await makeAccount(server, 'ops')
  for (const name of ['report.txt', 'photos/a.jpg', 'photos/b.jpg']) {
    const path = name.split('/').map(encodeURIComponent).join('/')
    expect((await publisher.fetch(`/files/${path}`, { method: 'PUT', body: `this is ${name}` })).status).toBe(201)
  }
  const me = (await (await publisher.fetch('/auth/me')).json()) as { username: string }
  return { ops: me.username, client: await makeAccount(server, 'client') }
}

describe('a file published by an ops account', () => {
  it('is listed for a client, under a name that can be exported', async () => {
    const { ops, client } = await publish()
    const { code, stdout } = await client.client.runHere(['ls', `ops:${ops}`, '--json'])
    expect(code).toBe(0)
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).name)
    expect(names).toEqual([`ops:${ops}/photos/a.jpg`, `ops:${ops}/photos/b.jpg`, `ops:${ops}/report.txt`])
    const some = await client.client.runHere(['ls', `ops:${ops}/re`])
    expect(some.stdout).toMatch(new RegExp(`^ +\\d+ B  .*  ops:${ops}/report.txt\n$`))
  })

  it('is exported by a client, alone or with its folder, as a job of the client', async () => {
    const { ops, client } = await publish()
    const one = await client.client.runHere(['export', `ops:${ops}/report.txt`])
    expect([one.code, await readFile(`${client.client.home}/report.txt`, 'utf8')]).toEqual([0, 'this is report.txt'])
    const folder = await client.client.runHere(['export', `ops:${ops}/photos/`, '-o', 'out'])
    expect([folder.code, await readFile(`${client.client.home}/out/b.jpg`, 'utf8')]).toEqual([
      0,
      'this is photos/b.jpg',
    ])
    expect((await client.client.runHere(['export', `ops:${ops}/`])).code).toBe(0)
    expect(await readFile(`${client.client.home}/${ops}/report.txt`, 'utf8')).toBe('this is report.txt')
    expect((await client.jobs()).map(({ file }) => file)).toContain(`ops:${ops}/report.txt`)
  })

  it('is not accessible to other roles; a missing account or file exits with 4', async () => {
    const { ops, client } = await publish()
    const user = await makeAccount(server)
    expect((await user.client.runHere(['ls', `ops:${ops}`])).code).toBe(3)
    expect((await user.client.runHere(['export', `ops:${ops}/report.txt`])).code).toBe(3)
    expect((await client.client.runHere(['export', `ops:${ops}/missing`])).code).toBe(4)
    expect((await client.client.runHere(['ls', 'ops:nobody'])).code).toBe(4)
    expect((await client.client.runHere(['upload', '-', '--name', 'x'], { input: 'x' })).code).toBe(3)
    expect((await client.client.runHere(['export', `ops:${ops}`])).code).toBe(2)
  })
})

describe('a token pair for scripts', () => {
  it('is printed: the access token opens everything, the refresh token gives the next pair once', async () => {
    const client = await openClient(server.url)
    const password = { env: { FILEJOBS_PASSWORD: 'correct horse' } }
    await client.runHere(['signup', 'scripted'], password)
    const { code, stdout } = await client.runHere(['tokens', 'scripted', '--json'], password)
    expect(code).toBe(0)
    const { access, refresh } = JSON.parse(stdout)
    const other = await openClient(server.url)
    const whoami = (token: string) => other.runHere(['whoami'], { env: { FILEJOBS_TOKEN: token } })
    expect((await whoami(access)).stdout).toMatch(/^user:scripted /)
    expect((await whoami(refresh)).code).toBe(3)
    const next = await other.runHere(['tokens', '--refresh'], { input: `${refresh}\n` })
    expect(next.code).toBe(0)
    const [, nextAccess, nextRefresh] = /^access (\S+)\nrefresh (\S+)\n$/.exec(next.stdout) ?? []
    expect((await whoami(nextAccess!)).code).toBe(0)
    expect((await other.runHere(['tokens', '--refresh'], { input: `${access}\n` })).code).toBe(3)
    const again = await other.runHere(['tokens', '--refresh'], { input: `${refresh}\n` })
    expect(again.code).toBe(3)
    expect((await other.runHere(['tokens', '--refresh'], { input: `${nextRefresh}\n` })).code).toBe(3)
    expect((await whoami(nextAccess!)).code).toBe(3)
  })
})
