import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { JobEvent, JobRecord } from '../../dist/protocol/jobs.js'
import { makeAccount } from '../helpers/account.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { listenTo } from '../helpers/event-stream.js'
import { eventually } from '../helpers/eventually.js'
import type { Running } from '../helpers/program.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { hasTmux, openTerminal } from '../helpers/terminal.js'

/** Nothing listens on port 1. */
const nowhere = 'http://127.0.0.1:1'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ jobsPerAccount: 10, shutdownGraceMs: 0 })
})
afterAll(() => server.close())

describe('jobs --watch --json', () => {
  it('prints one event a line, until Ctrl-C', async () => {
    const { client, token } = await makeAccount(server)
    const ann = new Caller(server, token)
    const held = await holdUpload(ann, 'held')
    const watch = client.start(['jobs', '--watch', '--json'])
    await eventually('there is a snapshot', () => eventsOf(watch).length > 0)
    await ann.put('a', 'x')
    const done = await eventually('a is done', () => eventsOf(watch).find(isDone('a')))
    expect(done).toMatchObject({ event: 'job', job: { kind: 'upload', bytes: 1 } })
    expect(eventsOf(watch)[0]).toMatchObject({ event: 'snapshot', job: { id: held.id, state: 'running' } })
    watch.child.kill('SIGINT')
    expect(await watch.ended()).toBe(130)
    held.request.destroy()
  })

  it('resumes after a broken connection without missing or repeating an event', async () => {
    const { client, token } = await makeAccount(server)
    const ann = new Caller(server, token)
    const held = await holdUpload(ann, 'held')
    const way = await openCuttingProxy(server.url)
    const whole = await listenTo(ann)
    const watch = client.start(['jobs', '--watch', '--json', '--server', way.url])
    await eventually('it listens', () => eventsOf(watch).length > 0)
    for (let round = 0; round < 4; round++) {
      way.cutAll()
      for (let file = 0; file < 5; file++) await ann.put(`in-round-${round}-${file}`, 'x')
      await eventually('it has heard of the last', () => eventsOf(watch).some(isDone(`in-round-${round}-4`)))
    }
    await eventually('the other has too', () => whole.events.some(isDone('in-round-3-4')))
    const changes = (events: JobEvent[]) =>
      events.flatMap(({ id, job }) => (job && job.id !== held.id ? [`${id} ${job.file} ${job.state}`] : []))
    expect(changes(eventsOf(watch))).toEqual(changes(whole.events))
    expect(watch.stderr).toMatch(/^(No connection to http:\S+: trying again …\n){4,}$/)
    held.request.destroy()
  })

  it('prints a resync after a restart of the server', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    let url = first.url
    const way = await openCuttingProxy(() => url)
    const { client, put } = await makeAccount(first)
    const watch = client.start(['jobs', '--watch', '--json', '--server', way.url])
    await eventually('it listens', async () => {
      await put('a', 'x')
      return eventsOf(watch).length > 0
    })
    url = nowhere
    await first.close()
    const second = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    onTestFinished(() => second.close())
    url = second.url
    await eventually('it says so', () => eventsOf(watch).find(({ event }) => event === 'resync'))
  })

  it('exits with 3 when its session is revoked', async () => {
    const { client, token, put } = await makeAccount(server)
    const watch = client.start(['jobs', '--watch', '--json'])
    await eventually('it listens', async () => {
      await put('a', 'x')
      return eventsOf(watch).length > 0
    })
    await new Caller(server, token).post('/auth/logout')
    expect(await watch.ended()).toBe(3)
    expect(watch.stderr).toMatch(/FILEJOBS_TOKEN holds no token that \S+ accepts: /)
  })

  it('fails at once without a server, and without the right to see all jobs', async () => {
    const { client } = await makeAccount(server)
    expect((await client.run(['jobs', '--watch', '--json', '--server', nowhere])).code).toBe(5)
    expect((await client.runHere(['jobs', '--watch', '--json', '--all'])).code).toBe(3)
  })
})

describe('jobs --watch', () => {
  it('prints a line for each change of state if stdout is not a terminal', async () => {
    const { client, token } = await makeAccount(server)
    const ann = new Caller(server, token)
    const held = await holdUpload(ann, 'held')
    const watch = client.start(['jobs', '--watch', '--kind', 'upload'])
    await watch.says(new RegExp(`^${held.id}  upload  running  held *$`, 'm'))
    await ann.post(`/jobs/${held.id}/pause`)
    await watch.says(/ {2}paused {2}held$/m)
    await ann.post(`/jobs/${held.id}/stop`)
    await watch.says(/ {2}stopped {2}held \(stopped by user:\w+\)$/m)
    expect(watch.stdout.trim().split('\n')).toHaveLength(3)
  })

  const name = hasTmux ? 'on a terminal' : 'on a terminal (skipped: there is no tmux here)'
  describe.skipIf(!hasTmux)(name, () => {
    it('shows bars, rates and states as they change, and restores the terminal on q', async () => {
      const { token, put } = await makeAccount(server)
      const ann = new Caller(server, token)
      await put('before', 'x')
      const held = await holdUpload(ann, 'held', { size: 1_000_000 })
      const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
      await terminal.type('echo before-the-table')
      await terminal.shows(/^before-the-table *$/m)
      await terminal.type('filejobs jobs --watch')
      await terminal.shows(/^JOB +KIND +STATE +PROGRESS +RATE +LEFT +WHAT *$/m)
      await terminal.shows(new RegExp(`^${held.id.slice(0, 8)}  upload  running +\\[-{10}\\] +0% .* held *$`, 'm'))
      await terminal.shows(/upload {2}done +\[={10}\] 100% .* before *$/m)
      held.request.write(Buffer.alloc(500_000))
      // A rate is shown only after some time.
      const trickle = setInterval(() => held.request.write('x'), 300)
      onTestFinished(() => clearInterval(trickle))
      await terminal.shows(/running +\[=====-----\] {2}50% +[\d.]+ \w+\/s .* held *$/m)
      clearInterval(trickle)
      await ann.post(`/jobs/${held.id}/pause`)
      await terminal.shows(/paused +\[=====-----\] .* held *$/m)
      await ann.post(`/jobs/${held.id}/stop`)
      await terminal.shows(/stopped .* held \(stopped by user:\w+\) *$/m)
      await terminal.shows(/^nothing runs; q leaves *$/m)
      await terminal.press('q')
      await terminal.shows(/^ready> $/m)
      await terminal.type('echo code $?')
      const screen = await terminal.shows(/code 0 *$/m)
      expect(screen.input).toMatch(/^before-the-table$/m)
      expect(screen.input).toMatch(/echo code/)
      expect(screen.input).not.toMatch(/PROGRESS/)
    })

    it('is ended by Ctrl-C, with exit code 130', async () => {
      const { token } = await makeAccount(server)
      const terminal = await openTerminal({ FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: token })
      await terminal.type('filejobs jobs --watch')
      await terminal.shows(/^There are no jobs\. *$/m)
      await terminal.press('C-c')
      await terminal.shows(/^ready> $/m)
      await terminal.type('echo code $?')
      await terminal.shows(/code 130 *$/m)
    })

    it('shows that the server is unreachable, and continues when it is back', async () => {
      const { token, put } = await makeAccount(server)
      let url = server.url
      const way = await openCuttingProxy(() => url)
      const terminal = await openTerminal({ FILEJOBS_SERVER: way.url, FILEJOBS_TOKEN: token })
      await terminal.type('filejobs jobs --watch')
      await terminal.shows(/^There are no jobs\. *$/m)
      url = nowhere
      way.cutAll()
      await terminal.shows(/No connection to \S+: trying again … *$/m)
      await put('meanwhile', 'x')
      url = server.url
      await terminal.shows(/done .* meanwhile *$/m)
      expect(await terminal.screen()).not.toMatch(/No connection/)
      await terminal.press('q')
      await terminal.shows(/^ready> $/m)
    })
  })
})

describe('the id of a job', () => {
  it('can be abbreviated to a unique prefix', async () => {
    const { client, token } = await makeAccount(server)
    const ann = new Caller(server, token)
    const same = 'abcdef01-0000-4000-8000-00000000000'
    const held = [await holdUpload(ann, 'a', { id: `${same}1` }), await holdUpload(ann, 'b', { id: `${same}2` })]
    const other = await holdUpload(ann, 'c', { id: 'abcdef02-0000-4000-8000-000000000000' })
    expect(await client.runHere(['pause', 'ABCDEF02'])).toMatchObject({ code: 0, stdout: 'Paused the upload of c.\n' })
    expect((await client.runHere(['limit', 'abcdef02', '1M'])).code).toBe(0)
    expect((await client.runHere(['resume', 'abcdef02-0000'])).code).toBe(0)
    const several = await client.runHere(['pause', 'abcdef'])
    expect(several).toMatchObject({ code: 2, stderr: 'Error: 3 jobs begin by abcdef: write more of the id.\n' })
    expect((await client.runHere(['pause', '0123'])).code).toBe(4)
    expect((await client.runHere(['pause', 'abc'])).code).toBe(2)
    expect((await client.runHere(['stop', 'abcdef02'])).stdout).toMatch(/^Stopped the upload of c/)
    for (const { request } of [...held, other]) request.destroy()
  })
})

function eventsOf({ stdout }: Running): JobEvent[] {
  const lines = stdout.split('\n')
  return lines.slice(0, -1).map((line) => JSON.parse(line) as JobEvent)
}

function isDone(file: string) {
  return ({ job }: { job: JobRecord | null }) => job?.file === file && job.state === 'done'
}
