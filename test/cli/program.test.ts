import { describe, expect, it } from 'vitest'
import { openClient } from '../helpers/program.js'

describe('the program', () => {
  it('says its version', async () => {
    const client = await openClient()
    expect(await client.run(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
    expect((await client.run(['--json', '--version'])).stdout).toBe('0.1.0\n')
  })

  it('shows every command in its help', async () => {
    const { code, stdout } = await (await openClient()).run(['--help'])
    expect(code).toBe(0)
    for (const name of ['serve', 'signup', 'login', 'upload', 'export', 'stop', 'jobs', 'ls', 'completion']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
  })

  it('has help with an example for every command', async () => {
    const client = await openClient()
    const { stdout } = await client.run(['--help'])
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name!)
    expect(names.length).toBeGreaterThan(15)
    for (const name of names) {
      const { code, stdout } = await client.run([name, '--help'])
      expect([code, stdout], name).toEqual([
        0,
        expect.stringMatching(/Usage: filejobs [\s\S]*Examples?:\n {2}\$ filejobs /),
      ])
      expect(stdout).not.toMatch(/default: "/)
    }
    expect((await client.run(['help', 'upload'])).stdout).toMatch(/Usage: filejobs upload/)
  })

  it.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['upload', '--frobnicate', 'x'], /unknown option '--frobnicate'/],
    [['upload'], /missing required argument 'file'/],
    [['accounts', 'create'], /missing required argument 'account'/],
    [['accounts', 'list', '--frobnicate'], /unknown option/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['whoami', '--server', 'nonsense'], /not a server's URL/],
    [['stop', 'everything'], /neither upload/],
    [['jobs', '--limit', '0'], /not a number above 0/],
  ])('ends with 2 for the wrong use %j', async (args, words) => {
    const { code, stdout, stderr } = await (await openClient()).run(args, { env: { FILEJOBS_TOKEN: 'x' } })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(words)
  })

  it('shows its help without a command, and ends with 2', async () => {
    const { code, stderr } = await (await openClient()).run([])
    expect(code).toBe(2)
    expect(stderr).toMatch(/Usage: filejobs/)
  })

  it('says how to log in where nobody is', async () => {
    const { code, stderr } = await (await openClient('http://127.0.0.1:1')).run(['ls'])
    expect([code, stderr]).toEqual([3, 'Error: Not logged in to http://127.0.0.1:1: run "filejobs login".\n'])
  })

  it('names the server that does not answer, and ends with 5', async () => {
    const client = await openClient('http://127.0.0.1:1')
    const { code, stderr } = await client.run(['ls'], { env: { FILEJOBS_TOKEN: 'x' } })
    expect(code).toBe(5)
    expect(stderr).toMatch(/^Error: http:\/\/127\.0\.0\.1:1: nobody answers there\./)
  })

  it('never waits for a password without a terminal', async () => {
    const { code, stderr } = await (await openClient('http://127.0.0.1:1')).run(['login', 'ann'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--password-stdin or FILEJOBS_PASSWORD/)
  })

  it.each(['bash', 'zsh', 'fish'])('prints a completion for %s that knows commands and options', async (shell) => {
    const { code, stdout } = await (await openClient()).run(['completion', shell])
    expect(code).toBe(0)
    for (const word of ['upload', 'no-clobber', 'reset-password', 'server']) expect(stdout).toContain(word)
  })
})
