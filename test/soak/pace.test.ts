import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { startOutside } from '../helpers/outside-program.js'
import { rateOf } from '../helpers/rates.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { hasProgram } from '../helpers/system-programs.js'

const kibibyte = 1024
const mebibyte = 1024 ** 2
const limits = [64 * kibibyte, mebibyte, 8 * mebibyte, 64 * mebibyte, 256 * mebibyte]
const hasCurl = hasProgram('curl')
if (!hasCurl) console.log('curl is missing: the tests that need it are skipped')

describe.skipIf(!hasCurl)('over ten seconds, the rate of a limited transfer is within 5 % of', () => {
  let server: TestServer
  let ann: Caller
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'filejobs-'))
    const handle = await open(join(folder, 'large'), 'w')
    await handle.truncate(4 * 1024 * mebibyte)
    await handle.close()
    server = await startTestServer({ shutdownGraceMs: 0 })
    ann = new Caller(server, await server.logIn('ann'))
  })
  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })

  it.each(limits)('%d bytes per second for an upload', async (limit) => {
    const upload = ['-T', join(folder, 'large'), `${ann.url}/files/a`]
    await needsMoreThan(limit, upload)
    expect(await measure(limit, upload, 10)).toSatisfy(isWithin5Percent(limit))
  })

  it.each(limits)('%d bytes per second for an export', async (limit) => {
    await mkdir(join(server.dataFolder, 'uploads/user/ann'), { recursive: true })
    await rename(join(folder, 'large'), join(server.dataFolder, 'uploads/user/ann/large')).catch(() => {})
    const download = ['-o', '/dev/null', `${ann.url}/files/large`]
    await needsMoreThan(limit, download)
    expect(await measure(limit, download, 10)).toSatisfy(isWithin5Percent(limit))
  })

  /** A machine that is too slow, or too busy, for the rate without a limit proves nothing of the limit. */
  async function needsMoreThan(limit: number, transfer: string[]): Promise<void> {
    const most = await measure(null, transfer, 1)
    if (most < limit * 1.2) throw new Error(`This machine is too slow: ${Math.round(most)} bytes per second at most.`)
  }

  async function measure(limit: number | null, transfer: string[], seconds: number): Promise<number> {
    const id = randomUUID()
    const headers = [`Authorization: Bearer ${ann.token}`, `Filejobs-Job: ${id}`]
    if (limit !== null) headers.push(`Filejobs-Rate-Limit: ${limit}`)
    const curl = startOutside('curl', ['-sS', ...headers.flatMap((header) => ['-H', header]), ...transfer])
    await eventually('it runs', async () => (await ann.job(id)).bytes > 0)
    const rate = await rateOf(ann, id, seconds)
    await ann.post(`/jobs/${id}/stop`)
    await curl.ended
    return rate
  }
})

function isWithin5Percent(limit: number) {
  return (rate: number) => Math.abs(rate / limit - 1) <= 0.05
}
