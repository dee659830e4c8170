import { appendFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { JobRecord } from '../../../../dist/protocol/jobs.js'
import { openJobHistory } from '../../../../dist/server/stores/local/job-history.js'
import { Caller, holdUpload } from '../../../helpers/calls.js'
import { eventually } from '../../../helpers/eventually.js'
import { startTestServer } from '../../../helpers/server.js'
import { canMount, fillDisk, mountSmallDisk } from '../../../helpers/small-disk.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { entryOf, historyContract, type OpenedHistory } from '../history-contract.js'

const ended = { state: 'done', endedAt: new Date(0).toISOString() } as const

async function lastSeqIn(folder: string): Promise<number> {
  const lines = await linesOf(join(folder, 'jobs.ndjson')).catch(() => [])
  return Math.max(0, ...lines.map(({ seq }) => seq))
}

describe('the job history', () => {
  historyContract(async () => openAgain(await temporaryFolder()))

  it('continues from the highest sequence number that it contains', async () => {
    const folder = await temporaryFolder()
    const before = await openJobHistory(folder, fail)
    expect(before.lastSeq).toBe(0)
    for (const seq of [7, 3]) before.note(entryOf(seq))
    await before.close()
    expect((await openJobHistory(folder, fail)).lastSeq).toBe(7)
  })

  it('has a line at the claim and one at the end, readable by its owner only', async () => {
    const folder = await temporaryFolder()
    const history = await openJobHistory(folder, fail)
    const running = entryOf(1)
    history.note(running)
    history.end({ ...running, job: { ...running.job, state: 'done', endedAt: now } })
    await history.close()
    const lines = await linesOf(join(folder, 'jobs.ndjson'))
    expect(lines.map((line) => line.job.state)).toEqual(['running', 'done'])
    expect((await stat(join(folder, 'jobs.ndjson'))).mode & 0o777).toBe(0o600)
  })

  it('forgets, when it is full, the oldest job of the account with the most', async () => {
    const forgotten: string[] = []
    const folder = await temporaryFolder()
    const history = await openJobHistory(folder, fail, { maxJobs: 6, onForgotten: (id) => forgotten.push(id) })
    const bens = [entryOf(1, ended, 2), entryOf(2, ended, 2)]
    const anns = [3, 4, 5, 6, 7, 8].map((seq) => entryOf(seq, ended))
    for (const entry of [...bens, ...anns]) await history.end(entry)
    expect(forgotten).toEqual(anns.slice(0, 2).map(({ job }) => job.id))
    expect(await history.list({ accountId: 2, limit: 10 })).toEqual([bens[1], bens[0]])
    expect(await history.list({ accountId: 1, limit: 10 })).toEqual(anns.slice(2).reverse())
    await history.close()
  })

  it('keeps the jobs of an account over all rotations that the jobs of another one cause', async () => {
    const folder = await temporaryFolder()
    const history = await openJobHistory(folder, fail, { maxFileBytes: 10_000 })
    const bens = [entryOf(1, ended, 2), entryOf(2, ended, 2)]
    for (const entry of bens) await history.end(entry)
    for (let seq = 3; seq < 500; seq++) {
      await history.end(entryOf(seq, ended))
      if (seq % 10 === 0) await eventually('it is written', async () => (await lastSeqIn(folder)) >= seq)
    }
    await history.close()
    const again = await openJobHistory(folder, fail)
    expect(await again.list({ accountId: 2, limit: 10 })).toEqual([bens[1], bens[0]])
    const all = await again.list({ accountId: null, limit: 1000 })
    expect(all.length).toBeLessThan(250)
    expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).sort((a, b) => b - a))
    await again.close()
  })

  it('ignores lines that are truncated by a crash or damaged', async () => {
    const folder = await temporaryFolder()
    const good = entryOf(3, { state: 'done', endedAt: now })
    await writeFile(
      join(folder, 'jobs.ndjson'),
      `not JSON\n{}\n[]\nnull\n${JSON.stringify(good)}\n{"seq":4,"job":{"id":"`,
    )
    const history = await openJobHistory(folder, fail)
    expect(await history.list({ accountId: null, limit: 10 })).toEqual([good])
    const next = entryOf(4, { state: 'done', endedAt: now })
    history.note(next)
    await history.close()
    const again = await openJobHistory(folder, fail)
    expect(await again.list({ accountId: null, limit: 10 })).toEqual([next, good])
  })

  it.skipIf(!canMount)('keeps lines that a full disk rejected, and writes them when it has space', async () => {
    const folder = await mountSmallDisk()
    const failures: unknown[] = []
    const history = await openJobHistory(folder, (error) => failures.push(error), { retryMs: 10 })
    history.note(entryOf(1))
    await eventually('it is written', async () => (await readdir(folder)).includes('jobs.ndjson'))
    await fillDisk(folder)
    const refused = Array.from({ length: 100 }, (_, index) => entryOf(index + 2))
    for (const one of refused) history.note(one)
    await eventually('the disk refuses', () => failures.length > 0)
    await rm(join(folder, 'ballast'))
    await eventually('they are written', async () => (await linesOf(join(folder, 'jobs.ndjson'))).length === 101)
    await history.close()
    expect(failures).toHaveLength(1)
    const again = await openJobHistory(folder, fail)
    expect(await again.unfinished({ accountId: null })).toEqual([expect.anything(), ...refused])
  })

  it('rotates the file at 10 MB and keeps five old ones', async () => {
    const folder = await temporaryFolder()
    const names = ['jobs.ndjson', 'jobs.1.ndjson', 'jobs.2.ndjson', 'jobs.3.ndjson', 'jobs.4.ndjson', 'jobs.5.ndjson']
    for (const [age, name] of names.entries())
      await writeFile(join(folder, name), `${JSON.stringify(entryOf(100 - age))}\n`)
    await appendFile(join(folder, 'jobs.ndjson'), `${' '.repeat(10 * 1024 ** 2)}\n`)
    const history = await openJobHistory(folder, fail)
    history.note(entryOf(101))
    await history.close()
    expect((await readdir(folder)).sort()).toEqual(names.sort())
    const seqs = []
    for (const name of ['jobs.ndjson', 'jobs.1.ndjson', 'jobs.5.ndjson'])
      seqs.push((await linesOf(join(folder, name)))[0]?.seq)
    expect(seqs).toEqual([101, 100, 96])
  })

  it('finds the few jobs of one account among fifty thousand others without parsing the others', async () => {
    const folder = await temporaryFolder()
    const lines = Array.from({ length: 50_000 }, (_, index) => {
      return JSON.stringify(entryOf(index + 1, { state: 'done', endedAt: now }, index === 5 ? 2 : 1))
    })
    await writeFile(join(folder, 'jobs.ndjson'), `${lines.join('\n')}\n`)
    const history = await openJobHistory(folder, fail)
    const parse = vi.spyOn(JSON, 'parse')
    onTestFinished(() => parse.mockRestore())
    const found = await history.list({ accountId: 2, limit: 10 })
    expect(parse).toHaveBeenCalledTimes(1)
    expect(found.map(({ seq }) => seq)).toEqual([6])
  })

  it('loses no line, whenever one is added', async () => {
    const folder = await temporaryFolder()
    const history = await openJobHistory(folder, fail)
    for (let seq = 1; seq <= 50; seq++) {
      history.note(entryOf(seq))
      // Whatever moment of the write before the next one meets.
      for (let tick = 0; tick < seq; tick++) await (tick % 2 ? new Promise(setImmediate) : Promise.resolve())
    }
    await history.close()
    expect((await linesOf(join(folder, 'jobs.ndjson'))).length).toBe(50)
  })

  it('reports a failed write, and continues', async () => {
    const folder = await temporaryFolder()
    const errors: unknown[] = []
    const history = await openJobHistory(folder, (error) => errors.push(error))
    await rm(folder, { recursive: true })
    const one = entryOf(1, { state: 'done', endedAt: now })
    history.note(one)
    await history.close()
    expect(errors).toEqual([expect.objectContaining({ code: 'storage-unavailable' })])
    expect(await history.find(one.job.id)).toEqual(one)
  })
})

describe('a restarted server', () => {
  it('has the earlier jobs, their receipts and ids, and the outcome of unfinished ones', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    const ann = new Caller(first, await first.logIn('ann'))
    const done = (await ann.put('a', 'a')).headers['filejobs-job'] as string
    const stopped = await holdUpload(ann, 'b')
    const receipt = (await ann.post(`/jobs/${stopped.id}/stop`)).json
    await first.close()
    // As a crash leaves it: claimed, and no end.
    const crashed = entryOf(1000, { account: 'user:ann' }, 2)
    await appendFile(join(dataFolder, 'jobs.ndjson'), `${JSON.stringify(crashed)}\n`)

    const second = await startTestServer({ dataFolder })
    const again = new Caller(second, ann.token)
    expect((await again.post(`/jobs/${stopped.id}/stop`)).json).toEqual(receipt)
    expect(await again.post(`/jobs/${done}/stop`)).toMatchObject({ status: 409, json: { code: 'already-published' } })
    expect(await again.put('c', 'c', { 'Filejobs-Job': done })).toMatchObject({ json: { code: 'job-id-used' } })
    expect(await again.job(crashed.job.id)).toMatchObject({ state: 'failed', error: { code: 'shutting-down' } })
    expect((await again.call('/jobs')).json.jobs.length).toBe(3)
    expect((await again.put('c', 'c')).status).toBe(201)
    expect((await again.call('/jobs')).json.jobs[0].file).toBe('c')
    await second.close()
    expect([...first.errors, ...second.errors]).toEqual([])
  })
})

const now = new Date().toISOString()

async function openAgain(folder: string): Promise<OpenedHistory> {
  const history = await openJobHistory(folder, fail)
  onTestFinished(() => history.close())
  return {
    history,
    async restart() {
      await history.close()
      return openAgain(folder)
    },
  }
}

async function linesOf(file: string): Promise<{ seq: number; job: JobRecord }[]> {
  const text = await readFile(file, 'utf8')
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : JSON.parse(line)))
}

function fail(error: unknown): never {
  throw error
}
