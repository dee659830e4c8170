import { readFile, stat, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { openClient } from '../helpers/program.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const password = { env: { FILEJOBS_PASSWORD: 'correct horse' } }

describe('filejobs login', () => {
  it('saves the login in a file that only its owner can read', async () => {
    const client = await openClient(server.url)
    const { code, stdout } = await client.run(['signup', 'ann'], password)
    expect([code, stdout]).toEqual([0, `Logged in to ${server.url} as user:ann.\n`])
    const file = `${client.home}/.config/filejobs/credentials.json`
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await client.run(['whoami'])).stdout).toMatch(/^user:ann on http:\S+\n0 B used(, \d+\.\d \wiB free)?\n$/)
  })

  it('replaces an earlier login and ends its session', async () => {
    const client = await openClient(server.url)
    await client.runHere(['signup', 'ben'], password)
    const file = `${client.home}/.config/filejobs/credentials.json`
    const old = JSON.parse(await readFile(file, 'utf8'))[server.url].token
    await client.runHere(['login', 'ben'], password)
    expect((await client.runHere(['whoami'], { env: { FILEJOBS_TOKEN: old } })).code).toBe(3)
    const { stdout } = await client.runHere(['sessions', '--json'])
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  it('accepts a role before the name, and a password from stdin', async () => {
    const client = await openClient(server.url)
    const signup = await client.runHere(['signup', 'ops:pub', '--password-stdin', '--json'], {
      input: 'correct horse\n',
    })
    expect(JSON.parse(signup.stdout)).toMatchObject({ account: 'ops:pub', server: server.url })
    expect(signup.stdout).not.toMatch(/token/)
    expect((await client.runHere(['login', 'ops:pub', '--role', 'user'], password)).code).toBe(2)
  })

  it('exits with 3 for a wrong password, and keeps the earlier login', async () => {
    const client = await openClient(server.url)
    await client.runHere(['signup', 'cat'], password)
    const { code, stdout } = await client.runHere(['login', 'cat'], { env: { FILEJOBS_PASSWORD: 'wrong horse' } })
    expect([code, stdout]).toEqual([3, ''])
    expect((await client.runHere(['whoami'])).code).toBe(0)
  })

  it('exits with 2 for a password that is too short', async () => {
    const client = await openClient(server.url)
    const { code, stderr } = await client.runHere(['signup', 'dan'], { env: { FILEJOBS_PASSWORD: 'short' } })
    expect(code).toBe(2)
    expect(stderr).toMatch(/8/)
  })

  it('exits with 1 if the login cannot be saved, and suggests an alternative', async () => {
    const client = await openClient(server.url)
    const file = `${client.home}/file`
    await writeFile(file, '')
    const env = { ...password.env, XDG_CONFIG_HOME: file }
    const { code, stdout, stderr } = await client.runHere(['signup', 'ivy'], { env })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `Error: The login to ${server.url} worked, but could not be saved: A part of the path is not a folder: ${file}/filejobs/credentials.json\n` +
        'Until it can be, set FILEJOBS_TOKEN to a token that "filejobs tokens user:ivy" prints.\n',
    )
    const tokens = await client.runHere(['tokens', 'user:ivy', '--json'], { env })
    const { access } = JSON.parse(tokens.stdout)
    // The session whose token could not be stored is removed.
    const sessions = await client.runHere(['sessions', '--json'], { env: { ...env, FILEJOBS_TOKEN: access } })
    expect(sessions.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('is undone by logout, which invalidates its token', async () => {
    const client = await openClient(server.url)
    await client.runHere(['signup', 'eve'], password)
    const file = `${client.home}/.config/filejobs/credentials.json`
    const { token } = JSON.parse(await readFile(file, 'utf8'))[server.url]
    expect((await client.runHere(['logout'])).code).toBe(0)
    const { stderr: advice } = await client.runHere(['whoami'])
    expect(advice).toBe(`Error: Not logged in to ${server.url}: run "filejobs login".\n`)
    const { code, stderr } = await client.runHere(['whoami'], { env: { FILEJOBS_TOKEN: token } })
    for (const name of ['a', 'b']) await writeFile(`${client.home}/${name}`, name)
    const words = `FILEJOBS_TOKEN holds no token that ${server.url} accepts: set another one, or unset it and run "filejobs login".`
    expect([code, stderr]).toEqual([3, `Error: ${words}\n`])
    const several = await client.runHere(['upload', 'a', 'b'], { env: { FILEJOBS_TOKEN: token } })
    expect([several.code, several.stderr]).toEqual([3, `Error: ${words}\n`])
  })
})

describe('a logged-in account', () => {
  it('lists its sessions and revokes one', async () => {
    const one = await openClient(server.url)
    await one.runHere(['signup', 'fay'], password)
    const two = await openClient(server.url)
    await two.runHere(['login', 'fay'], password)
    const lines = (await one.runHere(['sessions', '--json'])).stdout.trim().split('\n')
    const other = lines.map((line) => JSON.parse(line)).find((session) => !session.current)
    expect((await one.runHere(['sessions'])).stdout).toContain(other.id)
    expect((await one.runHere(['sessions', 'revoke', other.id])).code).toBe(0)
    expect((await two.runHere(['whoami'])).code).toBe(3)
    expect((await one.runHere(['sessions', 'revoke', other.id])).code).toBe(4)
  })

  it('changes its password, which ends its other sessions', async () => {
    const one = await openClient(server.url)
    await one.runHere(['signup', 'gus'], password)
    const two = await openClient(server.url)
    await two.runHere(['login', 'gus'], password)
    const changed = await one.runHere(['passwd', '--password-stdin'], { input: 'correct horse\nbattery staple\n' })
    expect(changed.code).toBe(0)
    expect((await one.runHere(['whoami'])).code).toBe(0)
    expect((await two.runHere(['whoami'])).code).toBe(3)
    expect((await two.runHere(['login', 'gus'], password)).code).toBe(3)
    expect((await two.runHere(['login', 'gus'], { env: { FILEJOBS_PASSWORD: 'battery staple' } })).code).toBe(0)
  })
})

describe('an admin', () => {
  it('creates, disables, enables and deletes accounts', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    const create = ['accounts', 'create', 'client:hal', '--name', 'Hal', '--password-stdin']
    expect((await admin.run(create, { input: 'correct horse' })).stdout).toBe('Created the account client:hal.\n')
    expect((await admin.run(create, { input: 'correct horse' })).code).toBe(6)
    const hal = await openClient(server.url)
    await hal.runHere(['login', 'client:hal'], password)
    expect((await admin.runHere(['accounts', 'disable', 'client:hal'])).code).toBe(0)
    expect((await hal.runHere(['whoami'])).code).toBe(3)
    expect((await admin.runHere(['accounts', 'enable', 'client:hal'])).code).toBe(0)
    expect((await admin.runHere(['accounts', 'list'])).stdout).toMatch(/^client:hal +\d+ .* enabled +Hal$/m)
    const reset = ['accounts', 'reset-password', 'client:hal', '--password-stdin']
    expect((await admin.run(reset, { input: 'battery staple' })).code).toBe(0)
    expect((await hal.runHere(['login', 'client:hal'], password)).code).toBe(3)
    expect((await admin.runHere(['accounts', 'delete', 'client:hal'])).code).toBe(2)
    expect((await admin.runHere(['accounts', 'delete', 'client:hal', '--yes'])).code).toBe(0)
    expect((await admin.runHere(['accounts', 'delete', 'client:hal', '--yes'])).code).toBe(4)
  })

  it('sets quotas, which the account sees', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    const create = ['accounts', 'create', 'user:ida', '--quota', '5G', '--password-stdin']
    expect((await admin.runHere(create, { input: 'correct horse' })).code).toBe(0)
    const ida = await openClient(server.url)
    await ida.runHere(['login', 'ida'], password)
    const whoami = async () => (await ida.runHere(['whoami'])).stdout.split('\n')[1]
    expect(await whoami()).toMatch(/^0 B of 5\.0 GiB used, \d\.\d GiB free$/)
    const listed = async () => /^user:ida .*$/m.exec((await admin.runHere(['accounts'])).stdout)?.[0]
    expect(await listed()).toMatch(/ 5\.0 GiB +0 /)
    for (const [size, words, column] of [
      ['100', '100 B', '100 B'],
      ['none', 'none', 'none'],
      ['default', 'that of the server', 'default'],
    ] as const) {
      const { stdout } = await admin.runHere(['accounts', 'quota', 'ida', size])
      expect(stdout).toBe(`The quota of user:ida is ${words}.\n`)
      expect(await listed()).toContain(` ${column}     0 `)
    }
    const { code, stderr } = await admin.runHere(['accounts', 'quota', 'ida', 'much'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('<size> must be a size such as 500K, 5M or 2G')])
  })

  it('gives a link that sets the password of a new account once', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    const stateOf = async (name: string) => {
      const { stdout } = await admin.runHere(['accounts'])
      return new RegExp(`^${name} .* (\\w+)$`, 'm').exec(stdout)?.[1]
    }
    const { stdout, stderr } = await admin.runHere(['accounts', 'create', 'jan', '--invite', '--expires', '2d'])
    expect(stdout).toMatch(/^http:\S+\/invitations\/\S+\n$/)
    expect(stderr).toMatch(/^Created the account user:jan\. This link sets the password of user:jan, once, until 20/)
    expect(await stateOf('user:jan')).toBe('invited')
    const headers = { 'Content-Type': 'application/json' }
    const accept = (url: string) =>
      fetch(url.trim(), { method: 'POST', headers, body: JSON.stringify({ password: 'correct horse' }) })
    expect((await accept(stdout)).status).toBe(200)
    expect((await accept(stdout)).status).toBe(404)
    const jan = await openClient(server.url)
    expect((await jan.runHere(['login', 'jan'], password)).code).toBe(0)
    expect(await stateOf('user:jan')).toBe('enabled')
    const { stdout: later } = await admin.runHere(['accounts', 'invite', 'jan'])
    expect((await accept(later)).status).toBe(200)
    expect((await jan.runHere(['whoami'])).code).toBe(3)
    for (const [args, message] of [
      [['create', 'kim', '--invite', '--password-stdin'], 'Give one of --invite and --password-stdin.'],
      [['create', 'kim', '--expires', '2d'], '--expires is for the link of --invite.'],
      [['invite', 'jan', '--expires', 'soon'], '--expires must be a duration'],
    ] as const) {
      const { code, stderr } = await admin.runHere(['accounts', ...args])
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    }
  })

  it('sees what accounts use and do', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    const lee = await makeAccount(server)
    await lee.put('a', 'x'.repeat(3000))
    const { stdout } = await admin.runHere(['accounts', 'list', '--json'])
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { account } = (await (await lee.fetch('/auth/me')).json()) as { account: string }
    const record = records.find((each) => each.account === account)
    expect(record).toMatchObject({ used: 3000, jobs: 0, quota: null, invitedUntil: null })
    expect(Date.now() - Date.parse(record.lastSeenAt)).toBeLessThan(60_000)
    expect((await admin.runHere(['accounts'])).stdout).toMatch(
      new RegExp(`^${account} .* 2\\.9 KiB +default +0 +20`, 'm'),
    )
  })

  it('cannot remove the last admin account, and other roles cannot manage accounts', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    expect((await admin.runHere(['accounts', 'disable', 'admin:admin'])).code).toBe(6)
    const { client } = await makeAccount(server)
    expect((await client.runHere(['accounts'])).code).toBe(3)
  })
})
