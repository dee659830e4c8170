import { describe, expect, it } from 'vitest'
import { openClient } from '../helpers/program.js'

describe('the program', () => {
  it('prints its version', async () => {
    const client = await openClient()
    expect(await client.run(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
    expect((await client.run(['--json', '--version'])).stdout).toBe('0.1.0\n')
  })

  it('lists every command in its help', async () => {
    const { code, stdout } = await (await openClient()).run(['--help'])
    expect(code).toBe(0)
    for (const name of ['serve', 'signup', 'login', 'upload', 'export', 'stop', 'jobs', 'ls', 'completion']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
  })

  it('has help with an example for every command', async () => {
    const client = await openClient()
    const { stdout } = await client.runHere(['--help'])
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name!)
    expect(names.length).toBeGreaterThan(15)
    for (const name of names) {
      const { code, stdout } = await client.runHere([name, '--help'])
      expect([code, stdout], name).toEqual([
        0,
        expect.stringMatching(/Usage: filejobs [\s\S]*Examples?:\n {2}\$ filejobs /),
      ])
      expect(stdout).not.toMatch(/default: "/)
    }
    expect((await client.runHere(['help', 'upload'])).stdout).toMatch(/Usage: filejobs upload/)
  })

  it.each([
    [['frobnicate'], /^Error: Unknown command frobnicate\. See "filejobs --help"\.\n$/],
    [['upload', '--frobnicate', 'x'], /^Error: Unknown option --frobnicate\. See "filejobs upload --help"\.\n$/],
    [['upload'], /^Error: Missing argument <file>\. See "filejobs upload --help"\.\n$/],
    [['accounts', 'create'], /Missing argument <account>\. See "filejobs accounts create --help"/],
    [['accounts', 'list', '--frobnicate'], /Unknown option --frobnicate\. See "filejobs accounts list --help"/],
    [['completion', 'tcsh'], /<shell> must be one of bash, zsh, fish, not "tcsh"/],
    [['whoami', '--server', 'nonsense'], /--server must be the URL of a server/],
    [
      ['stop', 'everything'],
      /<what> must be one of upload, export, import, query, or the id of a job, not "everything"/,
    ],
    [['jobs', '--limit', '0'], /--limit must be a whole number of 1 or more, not "0"/],
  ])('exits with 2 for the wrong usage %j', async (args, words) => {
    const { code, stdout, stderr } = await (await openClient()).runHere(args, { env: { FILEJOBS_TOKEN: 'x' } })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(words)
  })

  it('prints its help and exits with 2 if no command is given', async () => {
    const { code, stderr } = await (await openClient()).runHere([])
    expect(code).toBe(2)
    expect(stderr).toMatch(/Usage: filejobs/)
  })

  it('says how to log in if there is no login', async () => {
    const { code, stderr } = await (await openClient('http://127.0.0.1:1')).runHere(['ls'])
    expect([code, stderr]).toEqual([3, 'Error: Not logged in to http://127.0.0.1:1: run "filejobs login".\n'])
  })

  it('names the server that does not respond, and exits with 5', async () => {
    const client = await openClient('http://127.0.0.1:1')
    const { code, stderr } = await client.runHere(['ls'], { env: { FILEJOBS_TOKEN: 'x' } })
    expect(code).toBe(5)
    expect(stderr).toMatch(/^Error: http:\/\/127\.0\.0\.1:1: no server answers there\./)
  })

  it('never waits for a password if stdin is not a terminal', async () => {
    const { code, stderr } = await (await openClient('http://127.0.0.1:1')).runHere(['login', 'ann'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/--password-stdin or FILEJOBS_PASSWORD/)
  })

  it.each(['bash', 'zsh', 'fish'])('prints a completion script for %s with all commands and options', async (shell) => {
    const { code, stdout } = await (await openClient()).runHere(['completion', shell])
    expect(code).toBe(0)
    for (const word of ['upload', 'no-clobber', 'reset-password', 'server']) expect(stdout).toContain(word)
  })
})
