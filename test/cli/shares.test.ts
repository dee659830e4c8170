import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { shareServer } from '../helpers/shared-server.js'

const shared = shareServer()

describe('filejobs share', () => {
  it('prints a link that works without an account until it is revoked', async () => {
    const ann = await shared.newCaller()
    await ann.put('a.txt', 'some text')
    const client = await openClient(ann.url)
    const run = (...args: string[]) => client.runHere(args, { env: { FILEJOBS_TOKEN: ann.token } })

    const made = await run('share', 'a.txt', '--expires', '2h')
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('without an account') })
    const url = made.stdout.trim()
    expect(await (await fetch(url)).text()).toBe('some text')

    const listed = await run('shares', '--json')
    const { id, expiresAt } = JSON.parse(listed.stdout)
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 7_100_000)
    expect((await run('shares')).stdout).toContain(url)

    expect(await run('shares', 'revoke', id)).toMatchObject({ code: 0, stdout: `Revoked ${id}.\n` })
    expect((await fetch(url)).status).toBe(404)
    expect(await run('shares', 'revoke', id)).toMatchObject({ code: 4 })
    expect(await run('shares')).toMatchObject({ code: 0, stdout: '' })
  })

  it('rejects an invalid or too long duration, and a missing file', async () => {
    const ann = await shared.newCaller()
    const client = await openClient(ann.url)
    const run = (...args: string[]) => client.runHere(args, { env: { FILEJOBS_TOKEN: ann.token } })
    expect((await run('share', 'a.txt', '--expires', 'tomorrow')).code).toBe(2)
    const tooLong = await run('share', 'a.txt', '--expires', '367d')
    expect([tooLong.code, tooLong.stderr]).toEqual([2, expect.stringContaining('366 days at most')])
    expect((await run('share', 'a.txt')).code).toBe(4)
  })

  it('makes a link with a password, a number of downloads and a note, until a date', async () => {
    const ann = await shared.newCaller()
    await ann.put('a.txt', 'some text')
    const client = await openClient(ann.url)
    const run = (args: string[], input = '') => client.runHere(args, { input, env: { FILEJOBS_TOKEN: ann.token } })
    const date = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10)
    const terms = ['--expires', date, '--downloads', '1', '--note', 'For you']
    const made = await run(['share', 'a.txt', '--password-stdin', ...terms], 'the password\n')
    expect(made).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/its password can download .*, 1 time in all/),
    })
    const url = made.stdout.trim()
    expect((await fetch(url)).status).toBe(401)
    const { expiresAt, ...link } = JSON.parse((await run(['shares', '--json'])).stdout)
    expect(link).toMatchObject({ hasPassword: true, maxDownloads: 1, note: 'For you', state: 'live' })
    // The whole day counts, by the clock of this machine.
    const [year, month, day] = date.split('-').map(Number) as [number, number, number]
    expect(expiresAt).toBe(new Date(year, month - 1, day + 1).toISOString())
    const headers = { Authorization: `Basic ${btoa('link:the password')}` }
    expect(await (await fetch(url, { headers })).text()).toBe('some text')
    await eventually('it is listed as exhausted', async () => {
      return /exhausted .* yes +0 +1 of 1 +a\.txt +For you/.test((await run(['shares'])).stdout)
    })
  })

  it('rejects wrong terms of a link before it asks for a password', async () => {
    const client = await openClient('http://127.0.0.1:1')
    const run = (...args: string[]) => client.runHere(['share', 'a.txt', ...args], { env: { FILEJOBS_TOKEN: 'x' } })
    for (const [flag, value] of Object.entries({ '--expires': '2026-02-30', '--downloads': '0' })) {
      expect(await run(flag, value)).toMatchObject({ code: 2, stderr: expect.stringContaining(flag) })
    }
    expect(await run('--password', '--password-stdin')).toMatchObject({ code: 2 })
  })

  it('makes one link for several files and folders', async () => {
    const ann = await shared.newCaller()
    for (const name of ['a.txt', 'in/b.txt']) await ann.put(name, name)
    const client = await openClient(ann.url)
    const run = (...args: string[]) => client.runHere(args, { env: { FILEJOBS_TOKEN: ann.token } })
    const made = await run('share', 'a.txt', 'in')
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('these 2 files and folders') })
    expect(await (await fetch(made.stdout.trim())).json()).toMatchObject({
      folders: [{ name: 'in/' }],
      files: [{ name: 'a.txt' }],
    })
    expect((await run('shares')).stdout).toContain('/ (2 chosen)')
    expect((await run('share', 'a.txt', 'none')).code).toBe(4)
  })
})
