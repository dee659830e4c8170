import { randomUUID } from 'node:crypto'
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { JobRecord } from '../../../../dist/protocol/jobs.js'
import { openJobHistory } from '../../../../dist/server/stores/local/job-history.js'
import { Caller, holdUpload } from '../../../helpers/calls.js'
import { startTestServer } from '../../../helpers/server.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

describe('the history', () => {
  it('has a line at the claim and one at the end, for nobody else to read', async () => {
    const folder = await temporaryFolder()
    const history = await openJobHistory(folder, fail)
    const running = entry(1)
    history.append(running)
    history.append({ ...running, job: { ...running.job, state: 'done', endedAt: now } })
    await history.close()
    const lines = await linesOf(join(folder, 'jobs.ndjson'))
    expect(lines.map((line) => line.job.state)).toEqual(['running', 'done'])
    expect((await stat(join(folder, 'jobs.ndjson'))).mode & 0o777).toBe(0o600)
  })

  it('survives a restart, with what was unfinished to be found', async () => {
    const folder = await temporaryFolder()
    const before = await openJobHistory(folder, fail)
    const [ended, unfinished] = [entry(1, { state: 'done', endedAt: now }), entry(2)]
    for (const one of [ended, unfinished]) before.append(one)
    await before.close()
    const after = await openJobHistory(folder, fail)
    expect(after.lastSeq).toBe(2)
    expect(await after.find(ended.job.id)).toEqual(ended)
    expect(await after.has(unfinished.job.id)).toBe(true)
    expect(await after.list({ accountId: 1, limit: 10 })).toEqual([ended])
    expect(await after.unfinished()).toEqual([unfinished])
  })

  it('passes over lines that a crash cut short or somebody damaged', async () => {
    const folder = await temporaryFolder()
    const good = entry(3, { state: 'done', endedAt: now })
    await writeFile(
      join(folder, 'jobs.ndjson'),
      `not JSON\n{}\n[]\nnull\n${JSON.stringify(good)}\n{"seq":4,"job":{"id":"`,
    )
    const history = await openJobHistory(folder, fail)
    expect(await history.list({ accountId: null, limit: 10 })).toEqual([good])
    const next = entry(4, { state: 'done', endedAt: now })
    history.append(next)
    await history.close()
    const again = await openJobHistory(folder, fail)
    expect(await again.list({ accountId: null, limit: 10 })).toEqual([next, good])
  })

  it('begins a new file at 10 MB and keeps five old ones', async () => {
    const folder = await temporaryFolder()
    const names = ['jobs.ndjson', 'jobs.1.ndjson', 'jobs.2.ndjson', 'jobs.3.ndjson', 'jobs.4.ndjson', 'jobs.5.ndjson']
    for (const [age, name] of names.entries())
      await writeFile(join(folder, name), `${JSON.stringify(entry(100 - age))}\n`)
    await appendFile(join(folder, 'jobs.ndjson'), `${' '.repeat(10 * 1024 ** 2)}\n`)
    const history = await openJobHistory(folder, fail)
    history.append(entry(101))
    await history.close()
    expect((await readdir(folder)).sort()).toEqual(names.sort())
    const seqs = []
    for (const name of ['jobs.ndjson', 'jobs.1.ndjson', 'jobs.5.ndjson'])
      seqs.push((await linesOf(join(folder, name)))[0]?.seq)
    expect(seqs).toEqual([101, 100, 96])
  })

  it('finds the few jobs of one account among fifty thousand of others without parsing those', async () => {
    const folder = await temporaryFolder()
    const lines = Array.from({ length: 50_000 }, (_, index) => {
      return JSON.stringify(entry(index + 1, { state: 'done', endedAt: now }, index === 5 ? 2 : 1))
    })
    await writeFile(join(folder, 'jobs.ndjson'), `${lines.join('\n')}\n`)
    const history = await openJobHistory(folder, fail)
    const parse = vi.spyOn(JSON, 'parse')
    onTestFinished(() => parse.mockRestore())
    const found = await history.list({ accountId: 2, limit: 10 })
    expect(parse).toHaveBeenCalledTimes(1)
    expect(found.map(({ seq }) => seq)).toEqual([6])
  })

  it('loses no line, whenever one comes', async () => {
    const folder = await temporaryFolder()
    const history = await openJobHistory(folder, fail)
    for (let seq = 1; seq <= 50; seq++) {
      history.append(entry(seq))
      // Whatever moment of the write before the next one meets.
      for (let turn = 0; turn < seq; turn++) await (turn % 2 ? new Promise(setImmediate) : Promise.resolve())
    }
    await history.close()
    expect((await linesOf(join(folder, 'jobs.ndjson'))).length).toBe(50)
  })

  it('tells of a disk that refuses, and goes on', async () => {
    const folder = await temporaryFolder()
    const errors: unknown[] = []
    const history = await openJobHistory(join(folder, 'missing'), (error) => errors.push(error))
    const one = entry(1, { state: 'done', endedAt: now })
    history.append(one)
    await history.close()
    expect(errors).toEqual([expect.objectContaining({ code: 'ENOENT' })])
    expect(await history.find(one.job.id)).toEqual(one)
  })
})

describe('a server that starts again', () => {
  it('knows the jobs of before, their receipts and their ids, and says what became of the unfinished', async () => {
    const dataFolder = await temporaryFolder()
    const first = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    const ann = new Caller(first, await first.logIn('ann'))
    const done = (await ann.put('a', 'a')).headers['filejobs-job'] as string
    const stopped = await holdUpload(ann, 'b')
    const receipt = (await ann.post(`/jobs/${stopped.id}/stop`)).json
    await first.close()
    // As a crash leaves it: claimed, and no end.
    const crashed = entry(1000, { account: 'user:ann' }, 2)
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

function entry(seq: number, changes: Partial<JobRecord> = {}, accountId = 1) {
  const job: JobRecord = {
    id: randomUUID(),
    kind: 'upload',
    account: 'user:ann',
    file: `f${seq}`,
    table: null,
    state: 'running',
    bytes: 0,
    totalBytes: 1,
    percent: 0,
    rows: null,
    rate: null,
    rateLimit: null,
    startedAt: now,
    endedAt: null,
    stoppedBy: null,
    error: null,
    ...changes,
  }
  return { seq, accountId, job }
}

async function linesOf(file: string): Promise<{ seq: number; job: JobRecord }[]> {
  const text = await readFile(file, 'utf8')
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : JSON.parse(line)))
}

function fail(error: unknown): never {
  throw error
}
