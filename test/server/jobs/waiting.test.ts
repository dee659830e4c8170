import { describe, expect, it } from 'vitest'
import { answerOf, Caller, holdUpload } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0 })

describe('a request waiting for a slot', () => {
  it('runs after the running job has ended, in order of arrival', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const order: string[] = []
    const later = []
    for (const name of ['b', 'c', 'd', 'e']) {
      later.push(ann.put(name, name, { Prefer: 'wait=60' }).then(() => order.push(name)))
      await ann.findJob('state=waiting', (job) => job.file === name)
    }
    first.finish()
    await within('all uploads', Promise.all(later))
    expect(order).toEqual(['b', 'c', 'd', 'e'])
    expect(await ann.names()).toEqual(['b', 'c', 'd', 'e', 'first'])
  })

  it('is not overtaken by a later request that does not wait', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const waiting = ann.put('b', 'b', { Prefer: 'wait=60' })
    await ann.findJob('state=waiting')
    expect(await ann.put('c', 'c')).toMatchObject({ status: 409, json: { code: 'job-running' } })
    first.finish()
    expect((await waiting).status).toBe(201)
  })

  it('is rejected when its wait times out, and leaves the queue', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const refused = await ann.put('b', 'b', { Prefer: 'wait=1' })
    expect(refused).toMatchObject({ status: 409, json: { code: 'job-running', job: { id: first.id } } })
    expect((await ann.call('/jobs?state=waiting')).json.jobs).toEqual([])
    first.finish()
    expect((await first.answer).status).toBe(201)
    expect((await ann.put('c', 'c')).status).toBe(201)
  })

  it('is rejected at once if sixteen requests already wait', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const waiting = Array.from({ length: 16 }, (_, index) => ann.put(`w${index}`, 'w', { Prefer: 'wait=60' }))
    await eventually('sixteen wait', async () => (await waitingJobs(ann)).length === 16)
    expect(await ann.put('x', 'x', { Prefer: 'wait=60' })).toMatchObject({ status: 409, json: { code: 'job-running' } })
    first.finish()
    const answers = await Promise.all(waiting)
    expect(answers.map((answer) => answer.status)).toEqual(Array(16).fill(201))
  })

  it('leaves the queue when its client disconnects, and the slot goes to the next', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const leaving = ann.open('/files/b', { method: 'PUT', headers: { 'Content-Length': 5, Prefer: 'wait=60' } })
    leaving.on('error', () => {})
    leaving.flushHeaders()
    const { id } = await ann.findJob('state=waiting')
    const next = ann.put('c', 'c', { Prefer: 'wait=60' })
    await eventually('two wait', async () => (await waitingJobs(ann)).length === 2)
    leaving.destroy()
    await eventually('it left', async () => (await ann.job(id)).state === 'failed')
    expect((await ann.job(id)).error).toMatchObject({ code: 'client-left' })
    first.finish()
    expect((await next).status).toBe(201)
    expect(await ann.names()).toEqual(['c', 'first'])
  })

  it('that is stopped is answered job-stopped without its body being read; the running job continues', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const waiting = ann.put('b', 'b', { Prefer: 'wait=60' })
    const { id } = await ann.findJob('state=waiting')
    const receipt = await ann.post(`/jobs/${id}/stop`)
    expect(receipt).toMatchObject({ status: 200, json: { job: { id, state: 'stopped' }, bytesDiscarded: 0 } })
    expect(await waiting).toMatchObject({ status: 409, json: { code: 'job-stopped', job: { id } } })
    first.finish()
    expect((await first.answer).status).toBe(201)
    expect(await ann.names()).toEqual(['first'])
  })

  it('is not stopped by a stop of all running jobs', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const waiting = ann.put('b', 'b', { Prefer: 'wait=60' })
    await ann.findJob('state=waiting')
    const { json } = await ann.post('/upload/stop')
    expect(json.receipts.map((receipt: { job: { id: string } }) => receipt.job.id)).toEqual([first.id])
    expect((await waiting).status).toBe(201)
  })

  it('is stopped when its session is revoked', async () => {
    const first = await shared.newCaller()
    const { username } = (await first.call('/auth/me')).json
    const second = new Caller(shared.server, await shared.server.logIn(username))
    const running = await holdUpload(first, 'first')
    const request = second.open('/files/b', { method: 'PUT', headers: { 'Content-Length': 1, Prefer: 'wait=60' } })
    const answer = answerOf(request)
    request.end('b')
    const { id } = await first.findJob('state=waiting')
    expect((await second.post('/auth/logout')).status).toBe(204)
    expect(await answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    expect(await first.job(id)).toMatchObject({ state: 'stopped' })
    running.finish()
    expect((await running.answer).status).toBe(201)
  })

  it('can be an export, too', async () => {
    const ann = await shared.newCaller()
    for (const name of ['a', 'b']) await ann.put(name, Buffer.alloc(8 * 1024 ** 2, name))
    const slow = ann.open('/files/a', { headers: { 'Filejobs-Rate-Limit': 10_000 } })
    slow.end()
    await ann.findJob('state=running&kind=export')
    const waiting = ann.call('/files/b', { headers: { Prefer: 'wait=60' } })
    await ann.findJob('state=waiting&kind=export')
    slow.on('error', () => {}).destroy()
    expect((await within('the second export', waiting)).body.length).toBe(8 * 1024 ** 2)
  })
})

async function waitingJobs(caller: Caller): Promise<unknown[]> {
  return (await caller.call('/jobs?state=waiting')).json.jobs
}
