import { describe, expect, it } from 'vitest'
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
    const tooLong = await run('share', 'a.txt', '--expires', '31d')
    expect([tooLong.code, tooLong.stderr]).toEqual([2, expect.stringContaining('30 days at most')])
    expect((await run('share', 'a.txt')).code).toBe(4)
  })
})
