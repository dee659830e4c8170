import { randomUUID } from 'node:crypto'
import { readdir, readlink, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { eventually, within } from '../../helpers/eventually.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { type OutsideProgram, startOutside } from '../../helpers/outside-program.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { isFleet } from '../../run/is-cluster.js'

const MiB = 1024 ** 2
/** More than the buffers between server and reader hold. */
const size = 40 * MiB
const plain = shareServer({ shutdownGraceMs: 0 })
// The proxy of a fleet is the one that has a certificate.
const secure = hasProgram('openssl') && !isFleet ? [shareServer({ shutdownGraceMs: 0, tls: makeCertificate() })] : []

describe.each([plain, ...secure].map((shared, index) => [index === 0 ? 'http' : 'https', shared] as const))(
  'a stopped export by %s',
  (_scheme, shared) => {
    it.skipIf(!hasProgram('curl')).each([
      [['--http1.0']],
      // As a reader that knows no length, for whom a mere close would be a clean end, such as that of nginx.
      ...(isFleet ? [] : [[['--http1.0', '--ignore-content-length']]]),
      [['--retry', '2', '--retry-delay', '1']],
    ])('is an error for curl %s', async (extra) => {
      const args = ['-sS', '-k', '-o', 'target', '--limit-rate', '1M', ...extra]
      const ann = await readerOf(shared)
      const folder = await temporaryFolder()
      const curl = () => startOutside('curl', [...args, '-H', bearer(ann), `${ann.url}/files/big`], { cwd: folder })
      await isAnError(ann, curl(), join(folder, 'target'))
    })

    it.skipIf(!hasProgram('wget'))('is an error for wget, which would otherwise resume by range', async () => {
      const ann = await readerOf(shared)
      const folder = await temporaryFolder()
      const args = ['-nv', '--no-check-certificate', '-O', 'target', '--limit-rate=1m', '--header', bearer(ann)]
      const tries = ['--tries=5', '--waitretry=1', `${ann.url}/files/big`]
      await isAnError(ann, startOutside('wget', [...args, ...tries], { cwd: folder }), join(folder, 'target'))
      const { jobs } = (await ann.call('/jobs?kind=export')).json
      expect(jobs.map((job: { state: string }) => job.state)).toEqual(['stopped'])
    })

    it('is an error for node, by GET and by POST', async () => {
      const ann = await readerOf(shared)
      const reads = [
        () => ann.open('/files/big').end(),
        () => {
          const request = ann.open('/export', { method: 'POST', headers: { 'Content-Type': 'application/json' } })
          return request.end('{"filename":"big"}')
        },
      ]
      for (const read of reads) {
        // From Node 24 on, the request tells of the cut as well.
        const request = read().on('error', () => {})
        const response = await new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
        const ended = new Promise((resolve) => response.on('error', resolve).on('end', () => resolve('a clean end')))
        response.pause()
        await ann.findJob('kind=export&state=running', (job) => job.bytes > 0)
        const receipt = await ann.post('/export/stop')
        expect(receipt).toMatchObject({
          status: 200,
          json: { job: { kind: 'export', state: 'stopped' }, bytesDiscarded: 0 },
        })
        response.resume()
        expect(await within('the end of the response', ended)).toMatchObject({ code: 'ECONNRESET' })
      }
    })
  },
)

describe('after a stop of an export', () => {
  it('a range above 0 is rejected for that session and file; from byte 0 it is a new job', async () => {
    const ann = await readerOf(plain)
    const { username } = (await ann.call('/auth/me')).json
    await ann.put('other', 'other')
    await stopAnExport(ann)
    const range = { headers: { Range: 'bytes=5-9' } }
    for (const again of [1, 2]) {
      const refused = await ann.call('/files/big', range)
      expect({ again, refused }).toMatchObject({ refused: { status: 409, json: { code: 'job-stopped' } } })
      expect(refused.json.stoppedBy).toBe(`user:${username}`)
    }
    expect((await ann.call('/files/other', { headers: { Range: 'bytes=1-1' } })).body.toString()).toBe('t')
    const otherSession = new Caller(plain.server, await plain.server.logIn(username))
    expect((await otherSession.call('/files/big', range)).status).toBe(206)
    const whole = await ann.call('/files/big', { headers: { Range: 'bytes=0-', 'User-Agent': 'another' } })
    expect({ status: whole.status, bytes: whole.body.length }).toEqual({ status: 206, bytes: size })
    const first = await ann.call('/files/big', { headers: { Range: 'bytes=0-4', 'User-Agent': 'another' } })
    expect(first.body.toString()).toBe('xxxxx')
  })

  it('the next one starts at once, unless a program may be retrying the stopped one', async () => {
    const ann = await readerOf(plain)
    const filename = JSON.stringify({ filename: 'big' })
    const json = { 'Content-Type': 'application/json' }
    const again = [
      () => ann.call('/files/big', { headers: { 'User-Agent': 'another' } }),
      () => ann.call('/files/big', { headers: { 'Filejobs-Job': randomUUID() } }),
      () => ann.call('/export', { method: 'POST', body: filename, headers: json }),
      // As the dashboard does; any scheme but Bearer bears no token of ours.
      () => ann.call('/files/big', { headers: { Authorization: 'none', Cookie: cookieOf(ann) } }),
    ]
    for (const [index, start] of again.entries()) {
      const program = { 'User-Agent': `program-${index}` }
      await stopAnExport(ann, program)
      expect(await ann.call('/files/big', { headers: program })).toMatchObject({
        status: 409,
        json: { code: 'job-stopped' },
      })
      expect((await start()).body.length).toBe(size)
    }
  })

  it.skipIf(!hasProgram('curl'))('curl with --retry-all-errors gives up', async () => {
    const ann = await readerOf(plain)
    const folder = await temporaryFolder()
    // Limited by the server: what curl has not read yet when it is cut, it would read first.
    const args = ['-sSf', '-o', 'target', '-H', 'Filejobs-Rate-Limit: 1000000', '--retry', '1', '--retry-all-errors']
    const curl = startOutside('curl', [...args, '-H', bearer(ann), `${ann.url}/files/big`], { cwd: folder })
    await isAnError(ann, curl, join(folder, 'target'))
    const { jobs } = (await ann.call('/jobs?kind=export')).json
    expect(jobs.map((job: { state: string }) => job.state)).toEqual(['stopped'])
  })

  it('resuming by range is rejected until the whole file is requested again', async () => {
    const ann = await readerOf(plain)
    await stopAnExport(ann)
    const rest = { headers: { Range: `bytes=${size - 10}-` } }
    expect(await ann.call('/files/big', rest)).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    const another = { 'User-Agent': 'another' }
    expect((await ann.call('/files/big', { headers: { ...another, Range: 'bytes=0-9' } })).status).toBe(206)
    expect((await ann.call('/files/big', rest)).status).toBe(409)
    expect((await ann.call('/files/big', { headers: another })).status).toBe(200)
    expect((await ann.call('/files/big', rest)).status).toBe(206)
  })

  it('a repeated stop returns its receipt, and a stop without a job is answered 404', async () => {
    const ann = await readerOf(plain)
    expect(await ann.post('/export/stop')).toMatchObject({ status: 404, json: { code: 'no-running-job' } })
    const receipt = await stopAnExport(ann)
    expect((await ann.post(`/jobs/${receipt.job.id}/stop`)).json).toEqual(receipt)
    expect(await ann.post('/export/stop')).toMatchObject({ status: 404, json: { code: 'no-running-job' } })
  })

  onlyLocal('objects of a bucket have no descriptors', () => {
    it('its file is closed', async () => {
      const ann = await readerOf(plain)
      await stopAnExport(ann)
      await eventually(
        'no descriptor is open on it',
        async () => !(await openFiles()).some((path) => path.endsWith('/big')),
      )
    })
  })
})

async function readerOf(shared: typeof plain): Promise<Caller> {
  const ann = await shared.newCaller()
  await ann.put('big', Buffer.alloc(size, 'x'))
  return ann
}

function cookieOf({ url, token }: Caller): string {
  return `filejobs-${new URL(url).port}=${token}`
}

function bearer({ token }: Caller): string {
  return `Authorization: Bearer ${token}`
}

/** Stops the export once bytes are in the target, and expects the program to end with an error. */
async function isAnError(caller: Caller, program: OutsideProgram, target: string): Promise<void> {
  // One that has seen nothing of the answer yet would be right to ask once more.
  const here = async () => (await stat(target).catch(() => null))?.size
  await eventually('some of it is here', here)
  const receipt = await caller.post('/export/stop')
  expect(receipt).toMatchObject({ status: 200, json: { job: { state: 'stopped' } } })
  const { code, stderr } = await within('the end of the program', program.ended, 60_000)
  expect({ code, stderr }).not.toMatchObject({ code: 0 })
  expect(await here()).toBeLessThan(size)
}

async function stopAnExport(caller: Caller, headers: Record<string, string> = {}) {
  const request = caller.open('/files/big', { headers })
  request.on('error', () => {})
  request.on('response', (response) => response.on('error', () => {}).pause())
  request.end()
  const { id } = await caller.findJob('kind=export&state=running', (job) => job.bytes > 0)
  const { status, json } = await caller.post(`/jobs/${id}/stop`)
  expect(status).toBe(200)
  return json
}

async function openFiles(): Promise<string[]> {
  const names = await readdir('/proc/self/fd').catch(() => [])
  return Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
}
