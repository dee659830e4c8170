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

describe('logging in', () => {
  it('is remembered in a file that only its owner can read', async () => {
    const client = await openClient(server.url)
    const { code, stdout } = await client.run(['signup', 'ann'], password)
    expect([code, stdout]).toEqual([0, `Logged in to ${server.url} as user:ann.\n`])
    const file = `${client.home}/.config/filejobs/credentials.json`
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await client.run(['whoami'])).stdout).toBe(`user:ann on ${server.url}\n`)
  })

  it('replaces the login before and ends its session', async () => {
    const client = await openClient(server.url)
    await client.run(['signup', 'ben'], password)
    const file = `${client.home}/.config/filejobs/credentials.json`
    const old = JSON.parse(await readFile(file, 'utf8'))[server.url].token
    await client.run(['login', 'ben'], password)
    expect((await client.run(['whoami'], { env: { FILEJOBS_TOKEN: old } })).code).toBe(3)
    const { stdout } = await client.run(['sessions', '--json'])
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  it('takes a role before the name, and a password from stdin', async () => {
    const client = await openClient(server.url)
    const signup = await client.run(['signup', 'ops:pub', '--password-stdin', '--json'], { input: 'correct horse\n' })
    expect(JSON.parse(signup.stdout)).toMatchObject({ account: 'ops:pub', server: server.url })
    expect(signup.stdout).not.toMatch(/token/)
    expect((await client.run(['login', 'ops:pub', '--role', 'user'], password)).code).toBe(2)
  })

  it('fails with 3 for a wrong password, and keeps the login before', async () => {
    const client = await openClient(server.url)
    await client.run(['signup', 'cat'], password)
    const { code, stdout } = await client.run(['login', 'cat'], { env: { FILEJOBS_PASSWORD: 'wrong horse' } })
    expect([code, stdout]).toEqual([3, ''])
    expect((await client.run(['whoami'])).code).toBe(0)
  })

  it('fails with 2 for a password that is too short', async () => {
    const client = await openClient(server.url)
    const { code, stderr } = await client.run(['signup', 'dan'], { env: { FILEJOBS_PASSWORD: 'short' } })
    expect(code).toBe(2)
    expect(stderr).toMatch(/8/)
  })

  it('that cannot be saved says so, ends with 1, and names the way around', async () => {
    const client = await openClient(server.url)
    const file = `${client.home}/file`
    await writeFile(file, '')
    const env = { ...password.env, XDG_CONFIG_HOME: file }
    const { code, stdout, stderr } = await client.run(['signup', 'ivy'], { env })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `Error: The login to ${server.url} worked, but could not be saved: A part of the path is not a folder: ${file}/filejobs/credentials.json\n` +
        'Until it can be, set FILEJOBS_TOKEN to a token that "filejobs tokens user:ivy" prints.\n',
    )
    const tokens = await client.run(['tokens', 'user:ivy', '--json'], { env })
    const { access } = JSON.parse(tokens.stdout)
    // Of the login that nobody knows the token of, nothing is left.
    const sessions = await client.run(['sessions', '--json'], { env: { ...env, FILEJOBS_TOKEN: access } })
    expect(sessions.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('is forgotten on logout, and its token is refused from then on', async () => {
    const client = await openClient(server.url)
    await client.run(['signup', 'eve'], password)
    const file = `${client.home}/.config/filejobs/credentials.json`
    const { token } = JSON.parse(await readFile(file, 'utf8'))[server.url]
    expect((await client.run(['logout'])).code).toBe(0)
    const { stderr: advice } = await client.run(['whoami'])
    expect(advice).toBe(`Error: Not logged in to ${server.url}: run "filejobs login".\n`)
    const { code, stderr } = await client.run(['whoami'], { env: { FILEJOBS_TOKEN: token } })
    for (const name of ['a', 'b']) await writeFile(`${client.home}/${name}`, name)
    const words = `FILEJOBS_TOKEN holds no token that ${server.url} accepts: set another one, or unset it and run "filejobs login".`
    expect([code, stderr]).toEqual([3, `Error: ${words}\n`])
    const several = await client.run(['upload', 'a', 'b'], { env: { FILEJOBS_TOKEN: token } })
    expect([several.code, several.stderr]).toEqual([3, `Error: a: ${words}\nError: b: ${words}\n`])
  })
})

describe('sessions and passwords', () => {
  it('shows sessions and revokes one', async () => {
    const one = await openClient(server.url)
    await one.run(['signup', 'fay'], password)
    const two = await openClient(server.url)
    await two.run(['login', 'fay'], password)
    const lines = (await one.run(['sessions', '--json'])).stdout.trim().split('\n')
    const other = lines.map((line) => JSON.parse(line)).find((session) => !session.current)
    expect((await one.run(['sessions'])).stdout).toContain(other.id)
    expect((await one.run(['sessions', 'revoke', other.id])).code).toBe(0)
    expect((await two.run(['whoami'])).code).toBe(3)
    expect((await one.run(['sessions', 'revoke', other.id])).code).toBe(4)
  })

  it('changes the password and ends the other sessions', async () => {
    const one = await openClient(server.url)
    await one.run(['signup', 'gus'], password)
    const two = await openClient(server.url)
    await two.run(['login', 'gus'], password)
    const changed = await one.run(['passwd', '--password-stdin'], { input: 'correct horse\nbattery staple\n' })
    expect(changed.code).toBe(0)
    expect((await one.run(['whoami'])).code).toBe(0)
    expect((await two.run(['whoami'])).code).toBe(3)
    expect((await two.run(['login', 'gus'], password)).code).toBe(3)
    expect((await two.run(['login', 'gus'], { env: { FILEJOBS_PASSWORD: 'battery staple' } })).code).toBe(0)
  })
})

describe('the admin', () => {
  it('makes, disables, enables and deletes accounts', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    const create = ['accounts', 'create', 'client:hal', '--name', 'Hal', '--password-stdin']
    expect((await admin.run(create, { input: 'correct horse' })).stdout).toBe('Made the account client:hal.\n')
    expect((await admin.run(create, { input: 'correct horse' })).code).toBe(6)
    const hal = await openClient(server.url)
    await hal.run(['login', 'client:hal'], password)
    expect((await admin.run(['accounts', 'disable', 'client:hal'])).code).toBe(0)
    expect((await hal.run(['whoami'])).code).toBe(3)
    expect((await admin.run(['accounts', 'enable', 'client:hal'])).code).toBe(0)
    expect((await admin.run(['accounts', 'list'])).stdout).toMatch(/^client:hal +\d+ .* enabled +Hal$/m)
    const reset = ['accounts', 'reset-password', 'client:hal', '--password-stdin']
    expect((await admin.run(reset, { input: 'battery staple' })).code).toBe(0)
    expect((await hal.run(['login', 'client:hal'], password)).code).toBe(3)
    expect((await admin.run(['accounts', 'delete', 'client:hal'])).code).toBe(2)
    expect((await admin.run(['accounts', 'delete', 'client:hal', '--yes'])).code).toBe(0)
    expect((await admin.run(['accounts', 'delete', 'client:hal', '--yes'])).code).toBe(4)
  })

  it('cannot remove the last admin, and nobody else can manage accounts', async () => {
    const { client: admin } = await makeAccount(server, 'admin')
    expect((await admin.run(['accounts', 'disable', 'admin:admin'])).code).toBe(6)
    const { client } = await makeAccount(server)
    expect((await client.run(['accounts'])).code).toBe(3)
  })
})
