import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { shareServer } from '../helpers/shared-server.js'
import { tarOf } from '../helpers/tars.js'
import { hasTmux, openTerminal } from '../helpers/terminal.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const extract = ['upload', '-', '--extract', 'tar', '--name', 'in/']
const content = 'content '.repeat(20_000)
const input = tarOf([
  { name: 'a', content: 'a' },
  { name: 'b/large', content },
  { name: 'b/c', content: 'c' },
])
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('filejobs upload - --extract tar', () => {
  it('stores the files of a tar as one job', async () => {
    const { client, files, jobs } = await makeAccount(shared.server)
    expect(await client.runHere(extract, { input })).toEqual({
      code: 0,
      stdout: 'Extracted a tar to in/ (3 files, 156.3 KiB): 3 new\n',
      stderr: '',
    })
    expect((await files()).map(({ name, sha256 }) => [name, sha256])).toEqual([
      ['in/a', sha256('a')],
      ['in/b/c', sha256('c')],
      ['in/b/large', sha256(content)],
    ])
    expect(await jobs()).toMatchObject([{ file: 'in/', state: 'done', files: { done: 3, failed: 0 } }])
    const again = await client.runHere([...extract, '-v'], { input: tarOf([{ name: 'a', content: 'b' }]) })
    expect(again.stdout).toBe('replaced  in/a\nExtracted a tar to in/ (1 file, 1 B): 1 replaced\n')
  })

  it('has lines for scripts, and stores at the top without a name', async () => {
    const { client, put, jobs } = await makeAccount(shared.server)
    await put('a', 'a')
    await put('b/c/d', 'x')
    const { code, stdout } = await client.runHere(['upload', '-', '--extract', 'tar', '--json'], { input })
    const [summary, ...ends] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .reverse()
    expect(code).toBe(6)
    expect(Object.fromEntries(ends.map(({ name, status }) => [name, status]))).toEqual({
      a: 'unchanged',
      'b/large': 'new',
      'b/c': 'failed',
    })
    expect(ends.find(({ name }) => name === 'b/c').error.code).toBe('name-conflict')
    const job = (await jobs()).find(({ file }) => file === '')
    expect(summary.summary).toMatchObject({ name: '', files: 2, new: 1, unchanged: 1, failed: 1, job: job!.id })
  })

  it('keeps files that exist with --no-clobber', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('in/a', 'before')
    const { code, stdout } = await client.runHere([...extract, '--no-clobber'], { input })
    expect([code, stdout]).toEqual([6, expect.stringMatching(/2 new, 1 failed\n$/)])
    expect((await files())[0]).toMatchObject({ name: 'in/a', size: 6 })
  })

  it('publishes all or nothing with --together, and with --replace removes the others in the same step', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('in/old', 'old')
    const all = [...extract, '--together', '--replace']
    const broken = await client.runHere(all, { input: input.subarray(0, 2000) })
    expect([broken.code, broken.stdout, broken.stderr]).toEqual([
      2,
      'Extracted a tar to in/ (0 files, 0 B): nothing to do\n',
      expect.stringMatching(/^Error: .*ends too early/),
    ])
    expect((await files()).map(({ name }) => name)).toEqual(['in/old'])
    expect((await client.runHere(all, { input })).stdout).toMatch(/3 new, 1 removed\n$/)
    expect((await files()).map(({ name }) => name)).toEqual(['in/a', 'in/b/c', 'in/b/large'])
  })

  it('keeps what was stored before the end of an incomplete tar', async () => {
    const { client, files } = await makeAccount(shared.server)
    const incomplete = tarOf([
      { name: 'large', content },
      { name: 'b', content },
    ]).subarray(0, 200_000)
    const { code, stdout, stderr } = await client.runHere(extract, { input: incomplete })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^Error: .*ends too early/)])
    expect(stdout).toBe('Extracted a tar to in/ (1 file, 156.3 KiB): 1 new\n')
    expect((await files()).map(({ name }) => name)).toEqual(['in/large'])
  })

  it('refuses an empty stdin, for which there is no job', async () => {
    const { client, jobs } = await makeAccount(shared.server)
    const { code, stdout, stderr } = await client.runHere(extract, { input: '' })
    expect([code, stdout, stderr]).toEqual([10, '', 'Error: No bytes came on stdin: nothing was uploaded.\n'])
    expect(await jobs()).toEqual([])
  })

  it.skipIf(!hasTmux)('refuses a terminal', async () => {
    const { token } = await makeAccount(shared.server)
    const terminal = await openTerminal({ FILEJOBS_SERVER: shared.server.url, FILEJOBS_TOKEN: token })
    await terminal.type('filejobs upload - --extract tar; echo "code $?"')
    await terminal.shows(/stdin is a terminal: --extract needs a tar there[\s\S]*code 2/)
  })

  it.each([
    [['upload', 'x', '--extract', 'tar'], /--extract reads stdin/],
    [['upload', '-', 'x', '--extract', 'tar'], /--extract reads stdin/],
    [[...extract, '--replace'], /--replace needs --together/],
    [[...extract, '--exclude', 'x'], /--exclude cannot be used with --extract/],
    [[...extract, '--keep'], /--keep cannot be used with --extract/],
    [['upload', '-', '--extract', 'zip'], /--extract must be one of tar, not "zip"/],
    [[...extract, '--name', '../x'], /has a segment/],
  ])('rejects %j', async (args, message) => {
    const { client } = await makeAccount(shared.server)
    const { code, stderr } = await client.runHere(args, { input })
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('waits for the slot before it sends a byte', async () => {
    const { client, files, untilJob } = await makeAccount(shared.server)
    const first = client.start(['upload', '-', '--name', 'first'])
    first.child.stdin?.write('begun')
    await untilJob('upload', 'running')
    expect((await client.runHere(extract, { input })).code).toBe(6)
    const waiting = client.start([...extract, '--wait'], { input })
    await waiting.says(/already uploading first: waiting/)
    first.child.stdin?.end()
    // A transfer whose requests are seconds apart makes room for the one that waits.
    expect([await waiting.ended(), await first.ended()]).toEqual([0, 0])
    expect(await files()).toHaveLength(4)
  })

  it('by Ctrl-C is stopped with a receipt, also while stdin is silent', async () => {
    const { client, files, untilJob } = await makeAccount(shared.server)
    const upload = client.start([...extract, '--json'])
    upload.child.stdin?.write(input.subarray(0, 100_000))
    await untilJob('upload', 'running')
    upload.child.kill('SIGINT')
    expect([await upload.ended(), upload.stderr]).toEqual([130, ''])
    const receipt = JSON.parse(upload.stdout.trim().split('\n').at(-1)!)
    expect(receipt).toMatchObject({ cleanedUp: true, job: { state: 'stopped', file: 'in/' } })
    expect((await files()).filter(({ name }) => name !== 'in/a')).toEqual([])
    const silent = client.start(extract)
    silent.child.kill('SIGTERM')
    expect(await silent.ended()).toBe(143)
  })

  it('by a stop from elsewhere exits with 9', async () => {
    const { client, untilJob, fetch } = await makeAccount(shared.server)
    const upload = client.start(extract)
    upload.child.stdin?.write(input.subarray(0, 100_000))
    const { id } = await untilJob('upload', 'running')
    expect((await fetch(`/jobs/${id}/stop`, { method: 'POST' })).status).toBe(200)
    expect([await upload.ended(), upload.stderr]).toEqual([
      9,
      expect.stringMatching(/The upload of in\/ was stopped by user:/),
    ])
  })

  it('over a network that breaks exits with 5', async () => {
    const { client, token } = await makeAccount(shared.server)
    const proxy = await openCuttingProxy(shared.server.url, [50_000])
    const env = { FILEJOBS_SERVER: proxy.url, FILEJOBS_TOKEN: token }
    const { code, stderr } = await client.runHere(extract, { input, env })
    expect([code, stderr]).toEqual([5, expect.stringMatching(/the connection was cut/)])
  })
})
