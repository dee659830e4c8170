import { describe, expect, it } from 'vitest'
import { slotWaitOf } from '../../../dist/server/routes/headers/slot-wait.js'
import { type Answer, answerOf, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames, waitsToContinue } from '../../helpers/stored-state.js'
import { beforeFirstBytes, idOf, octets, Tus } from '../../helpers/tus.js'
import { isFleet } from '../../run/is-cluster.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const newTus = async () => new Tus(await shared.newCaller())
const partials = async (path: string) => {
  const names = await partialNames(shared.server.dataFolder)
  return names.filter((name) => name.startsWith(idOf(path)))
}

/** Begins uploads of ten bytes and sends them, while another upload of the account runs. */
async function queue(tus: Tus, names: string[]) {
  const running = await holdUpload(tus.caller, 'running')
  const waiting: { path: string; answer: Promise<Answer>; leave(): void }[] = []
  for (const name of names) {
    const path = await tus.begin({ name })
    const headers = { 'Tus-Resumable': '1.0.0', 'Content-Type': octets, 'Upload-Offset': 0, 'Content-Length': 10 }
    const request = tus.caller.open(path, { method: 'PATCH', headers })
    const answer = answerOf(request)
    answer.catch(() => {})
    request.end('0123456789')
    waiting.push({ path, answer, leave: () => void request.destroy() })
  }
  return { running, waiting }
}

describe('the first bytes of a tus upload', () => {
  it('wait for the slot, with no limit of sixteen, and all uploads are stored', async () => {
    const tus = await newTus()
    const names = Array.from({ length: 40 }, (_, index) => `w${10 + index}`)
    const { running, waiting } = await queue(tus, names)
    expect((await tus.caller.call(`/jobs?state=${beforeFirstBytes}&limit=100`)).json.jobs).toHaveLength(40)
    running.finish()
    const answers = await within('all uploads', Promise.all(waiting.map(({ answer }) => answer)))
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(204))
    expect(await tus.caller.names()).toEqual(['running', ...names])
  })

  it('are answered 423 with Retry-After when the client’s wait ends, and nothing is lost', async () => {
    const tus = await newTus()
    const held = await holdUpload(tus.caller, 'held')
    const path = await tus.begin()
    for (const seconds of [0, 1]) {
      const refused = await tus.patch(path, 0, '0123456789', { Prefer: `wait=${seconds}` })
      expect(refused).toMatchObject({ status: 423, json: { code: 'job-running', job: { id: held.id } } })
      expect(refused.headers['retry-after']).toBe('1')
    }
    const refused = await tus.create({ name: 'other', body: '01234', headers: { Prefer: 'wait=0' } })
    expect(refused).toMatchObject({ status: 423, json: { code: 'job-running' } })
    held.finish()
    await held.answer
    expect((await tus.patch(path, 0, '0123456789')).status).toBe(204)
    expect((await tus.caller.call('/jobs?state=waiting')).json.jobs).toEqual([])
  })

  it('leave the queue when their client disconnects, and can be sent again', async () => {
    const tus = await newTus()
    const { running, waiting } = await queue(tus, ['leaves', 'stays'])
    const [leaves, stays] = waiting
    leaves!.leave()
    await expect(leaves!.answer).rejects.toThrow()
    running.finish()
    expect((await stays!.answer).status).toBe(204)
    const { state, bytes } = await tus.caller.job(idOf(leaves!.path))
    expect(beforeFirstBytes).toContain(state)
    expect(bytes).toBe(0)
    expect((await tus.patch(leaves!.path, 0, '0123456789')).status).toBe(204)
  })

  it('wait as long as the client requests, but at most 50 s behind a proxy', () => {
    const waitOf = (headers: Record<string, string>, httpVersion = '1.1') =>
      slotWaitOf({ httpVersion, headers } as never, Number.POSITIVE_INFINITY)
    expect(waitOf({})).toBe(Number.POSITIVE_INFINITY)
    // As nginx speaks without further settings.
    expect(waitOf({}, '1.0')).toBe(50_000)
    expect(waitOf({ prefer: 'wait=70' })).toBe(70_000)
    for (const proxy of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      expect(waitOf({ [proxy]: '192.0.2.1' })).toBe(50_000)
      expect(waitOf({ [proxy]: '192.0.2.1', prefer: 'wait=70' })).toBe(50_000)
      expect(waitOf({ [proxy]: '192.0.2.1', prefer: 'wait=7' })).toBe(7_000)
    }
  })
})

describe('a stop while tus uploads wait', () => {
  it('for all running uploads also ends those that wait on /tus, or were only created', async () => {
    const tus = await newTus()
    const { running, waiting } = await queue(tus, ['a', 'b'])
    const created = await tus.begin({ name: 'created' })
    const { status, json } = await tus.caller.post('/upload/stop')
    expect({ status, file: json.job.file }).toEqual({ status: 200, file: 'running' })
    const files = json.receipts.map((receipt: { job: { file: string } }) => receipt.job.file)
    expect(files).toEqual(['running', 'created', 'b', 'a'])
    expect((await running.answer).status).toBe(409)
    for (const { path, answer } of waiting) {
      expect(await answer).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
      expect((await tus.head(path)).status).toBe(423)
      expect(await partials(path)).toEqual([])
    }
    expect((await tus.patch(created, 0, '0123456789')).status).toBe(410)
    expect(await tus.caller.names()).toEqual([])
    expect(await tus.caller.post('/upload/stop')).toMatchObject({ status: 404, json: { code: 'no-running-job' } })
  })

  it('ends an upload that waits to continue after another one got its slot', async () => {
    const tus = await newTus()
    const path = await tus.begin()
    await tus.patch(path, 0, '01234')
    const other = await tus.begin({ name: 'other', length: 1_000_000 })
    const held = await tus.hold(other, 0, 'x')
    const waiting = tus.patch(path, 5, '56789')
    await eventually('it has no slot', async () => (await tus.caller.job(idOf(path))).state === 'interrupted')
    // It was interrupted before, too; one server gets the requests in this order.
    if (isFleet) await eventually('it waits', () => waitsToContinue(shared.server.dataFolder, idOf(path)))
    const { json } = await tus.caller.post('/upload/stop')
    expect(json.receipts.map((receipt: { job: { id: string } }) => receipt.job.id)).toEqual([idOf(other), idOf(path)])
    for (const answer of [waiting, held.answer]) {
      expect(await answer).toMatchObject({ status: 410, json: { code: 'job-stopped' } })
    }
    expect([...(await partials(path)), ...(await partials(other))]).toEqual([])
  })
})
