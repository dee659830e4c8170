import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { shareServer } from '../helpers/shared-server.js'

const shared = shareServer()

describe('filejobs request', () => {
  it('prints a link that takes files without an account until it is revoked', async () => {
    const ann = await shared.newCaller()
    const client = await openClient(ann.url)
    const run = (...args: string[]) => client.runHere(args, { env: { FILEJOBS_TOKEN: ann.token } })

    const made = await run('request', 'inbox', '--expires', '2h', '--max-size', '1M', '--max-files', '2')
    const says =
      /^Anyone with this link can upload 2 files of 1\.0 MiB in all into inbox\/ until .*, without an account\.\n$/
    expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(says) })
    const url = made.stdout.trim()
    expect((await fetch(`${url}/a.txt`, { method: 'PUT', body: 'some text' })).status).toBe(201)
    expect(await ann.names()).toEqual(['inbox/a.txt'])

    const listed = async () => JSON.parse((await run('requests', '--json')).stdout)
    await eventually('it is counted', async () => (await listed()).files === 1)
    const { id, ...link } = await listed()
    expect(link).toMatchObject({ url, folder: 'inbox/', state: 'open', maxFiles: 2, maxBytes: 1024 ** 2, bytes: 9 })
    const table = (await run('requests')).stdout
    expect(table).toContain('1 of 2')
    expect(table).toContain(url)

    expect(await run('requests', 'revoke', id)).toMatchObject({ code: 0, stdout: `Revoked ${id}.\n` })
    expect((await fetch(url)).status).toBe(410)
    expect(await listed()).toMatchObject({ state: 'revoked' })
    expect(await run('requests', 'revoke', 'other')).toMatchObject({ code: 4 })
  })

  it('makes one with a password, a limit for each file and a note', async () => {
    const ann = await shared.newCaller()
    const client = await openClient(ann.url)
    const run = (args: string[], input = '') => client.runHere(args, { input, env: { FILEJOBS_TOKEN: ann.token } })
    expect(await run(['requests'])).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('no links') })
    const terms = ['--max-file-size', '10', '--note', 'For me', '--password-stdin']
    const made = await run(['request', 'in/', ...terms], 'the password\n')
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('this link and its password') })
    const url = made.stdout.trim()
    expect((await fetch(url)).status).toBe(401)
    const headers = { Authorization: `Basic ${btoa('link:the password')}` }
    expect(await (await fetch(url, { headers })).json()).toMatchObject({ note: 'For me', maxFileBytes: 10 })
    expect((await run(['requests'])).stdout).toMatch(/ yes .* For me /)
  })

  it('rejects wrong limits, and a folder that is a file', async () => {
    const ann = await shared.newCaller()
    await ann.put('file', 'x')
    const client = await openClient(ann.url)
    const run = (...args: string[]) => client.runHere(args, { env: { FILEJOBS_TOKEN: ann.token } })
    for (const wrong of [
      ['--max-files', '0'],
      ['--max-size', 'much'],
      ['--max-size', '0'],
      ['--expires', '367d'],
    ]) {
      expect((await run('request', 'in/', ...wrong)).code, wrong.join(' ')).toBe(2)
    }
    expect((await run('request', '../in')).code).toBe(2)
    expect((await run('request', 'file')).code).toBe(6)
  })
})
