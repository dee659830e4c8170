import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JobEvent } from '../../../dist/protocol/jobs.js'
import { answerOf, Caller, type HeldUpload, holdUpload } from '../../helpers/calls.js'
import { listenTo } from '../../helpers/event-stream.js'
import { eventually } from '../../helpers/eventually.js'
import { onOneServer } from '../../helpers/only-local.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ jobsPerAccount: 100, shutdownGraceMs: 0 })

describe('the event stream', () => {
  it('starts with a snapshot of every unfinished job, and continues with changes', async () => {
    const ann = await shared.newCaller()
    const held = [await holdUpload(ann, 'a'), await holdUpload(ann, 'b')]
    await ann.put('before', 'x')
    const stream = await listenTo(ann)
    expect(stream.events.slice(0, 2).map(({ event, job }) => [event, job?.file, job?.state])).toEqual([
      ['snapshot', 'a', 'running'],
      ['snapshot', 'b', 'running'],
    ])
    held[0]?.finish()
    const done = await stream.find('the end of a', ({ job }) => job.file === 'a' && job.state === 'done')
    expect(done).toMatchObject({ event: 'job', job: { id: held[0]?.id, bytes: 100, percent: 100 } })
    expect(stream.events.filter(({ job }) => job?.file === 'a').map(({ job }) => job?.state)).toContain('committing')
  })

  it('reports every change of state, however quickly they follow each other', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a')
    const stream = await listenTo(ann)
    for (let round = 0; round < 20; round++) {
      await ann.post(`/jobs/${held.id}/pause`)
      await ann.post(`/jobs/${held.id}/resume`)
    }
    held.finish()
    await stream.find('the end', ({ job }) => job.state === 'done')
    const states = stream.events.map(({ job }) => job?.state)
    const changes = states.filter((state, index) => state !== states[index - 1])
    expect(changes).toEqual(['running', ...Array(20).fill(['paused', 'running']).flat(), 'committing', 'done'])
  })

  it('reports progress at most four times a second', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a', { size: 10_000_000 })
    const startedAt = performance.now()
    const stream = await listenTo(ann)
    const sending = setInterval(() => held.request.write(Buffer.alloc(1000)), 5)
    onTestFinished(() => clearInterval(sending))
    await eventually('some have come', () => stream.events.length >= 12)
    clearInterval(sending)
    const seconds = (performance.now() - startedAt) / 1000
    held.request.destroy()
    // One more, of the progress before the stream was opened.
    expect(stream.events.filter(({ event }) => event === 'job').length).toBeLessThanOrEqual(4 * seconds + 2)
    const bytes = stream.events.flatMap(({ job }) => (job?.state === 'running' ? job.bytes : []))
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b))
  })

  it('reports a transfer without progress until its rate is 0', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a', { size: 10_000_000 })
    const stream = await listenTo(ann)
    const sending = setInterval(() => held.request.write(Buffer.alloc(1000)), 5)
    onTestFinished(() => clearInterval(sending))
    await stream.find('a rate', ({ job }) => (job.rate ?? 0) > 0)
    clearInterval(sending)
    await stream.find('no rate', ({ job }) => job.rate === 0)
    held.request.destroy()
  })

  it('excludes jobs of other accounts, except for an admin who requests all', async () => {
    const [ann, bob, admin] = [await shared.newCaller(), await shared.newCaller(), await shared.admin()]
    const [annHears, adminHears] = [await listenTo(ann), await listenTo(admin, { query: '?account=all' })]
    await bob.put('of-bob', 'x')
    await ann.put('of-ann', 'x')
    await annHears.find('her own', ({ job }) => job.file === 'of-ann' && job.state === 'done')
    await adminHears.find('hers', ({ job }) => job.file === 'of-ann' && job.state === 'done')
    await adminHears.find('his', ({ job }) => job.file === 'of-bob' && job.state === 'done')
    expect(new Set(annHears.events.map(({ job }) => job?.file))).toEqual(new Set(['of-ann']))
    expect(await ann.call('/jobs/events?account=all')).toMatchObject({ status: 403, json: { code: 'not-allowed' } })
    expect(await ann.call('/jobs/events?account=bob')).toMatchObject({ status: 400, json: { field: 'account' } })
  })

  it('requires a login', async () => {
    const nobody = new Caller(shared.server, 'no token')
    expect((await nobody.call('/jobs/events')).status).toBe(401)
  })

  it('answers HEAD with its headers only', async () => {
    const ann = await shared.newCaller()
    const { status, headers } = await ann.call('/jobs/events', { method: 'HEAD' })
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'text/event-stream' })
  })
})

describe('an event stream resumed with Last-Event-ID', () => {
  onOneServer('another server answers with a resync: docs/cluster.md', () => {
    it('misses and repeats nothing, wherever it was cut', async () => {
      const ann = await shared.newCaller()
      const whole = await listenTo(ann)
      let part = await listenTo(ann)
      const busy = keepBusy(ann)
      const parts: JobEvent[] = []
      for (let round = 0; round < 15; round++) {
        const heard = part.events.length
        await eventually('some events more', () => part.events.length >= heard + 1 + (round % 4))
        part.cut()
        parts.push(...part.events)
        const after = part.lastId
        await ann.put(`between-${round}`, 'x')
        part = await listenTo(ann, { after })
      }
      await busy.end()
      await ann.put('last', 'x')
      for (const stream of [whole, part]) {
        await stream.find('last', ({ job }) => job.file === 'last' && job.state === 'done')
      }
      parts.push(...part.events)
      const jobEvents = (events: JobEvent[]) => events.filter(({ event }) => event === 'job').map(({ id }) => id)
      expect(parts.map(({ event }) => event)).not.toContain('resync')
      expect(jobEvents(parts)).toEqual(jobEvents(whole.events))
    })
  })

  onOneServer('another server answers with a resync: docs/cluster.md', () => {
    it('includes the events that no stream received', async () => {
      const ann = await shared.newCaller()
      const first = await listenTo(ann)
      first.cut()
      await ann.put('meanwhile', 'x')
      const second = await listenTo(ann, { after: first.lastId })
      await second.find('its end', ({ job }) => job.state === 'done')
      expect(second.events.map(({ event, job }) => `${event} ${job?.state}`)).toEqual([
        'job running',
        ...second.events.slice(1, -2).map(() => 'job running'),
        'job committing',
        'job done',
      ])
    })
  })

  it('starts with a resync if the id is unknown, from before a restart, or invalid', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'a')
    const known = (await listenTo(ann)).lastId!
    const boot = known.split('-')[0]
    for (const after of ['0123456789ab-1', `${boot}-999999`, `${boot}-x`, 'nonsense', '-', `+${known}`]) {
      const stream = await listenTo(ann, { after })
      expect(beginningOf(stream)).toEqual(['resync', 'snapshot'])
      expect(stream.events[0]?.job).toBeNull()
    }
    held.request.destroy()
  })

  onOneServer('another server answers with a resync: docs/cluster.md', () => {
    it('starts with all snapshots if it was cut between two of them', async () => {
      const ann = await shared.newCaller()
      const held: HeldUpload[] = []
      for (const name of ['a', 'b', 'c']) held.push(await holdUpload(ann, name))
      const first = await listenTo(ann)
      expect(beginningOf(first)).toEqual(['snapshot', 'snapshot', 'snapshot'])
      const again = await listenTo(ann, { after: first.events[1]!.id })
      expect(beginningOf(again)).toEqual(['resync', 'snapshot', 'snapshot', 'snapshot'])
      const goingOn = await listenTo(ann, { after: first.events[2]!.id })
      expect(beginningOf(goingOn)).toEqual([])
      for (const { request } of held) request.destroy()
    })
  })
})

describe('the event stream as server-sent events', () => {
  onOneServer('nginx removes X-Accel-Buffering', () => {
    it('has an id, a name and data for each event, and headers against buffering in proxies', async () => {
      const ann = await shared.newCaller()
      const held = await holdUpload(ann, 'a')
      const connection = await connectTo(shared.server.url)
      connection.send(head('GET /jobs/events', ann.token, { Accept: 'text/event-stream' }))
      const [, id] = await connection.says(/id: ([0-9a-f]+-\d+)\nevent: snapshot\ndata: (.*)\n\n/)
      const data = /data: (.*)\n/.exec(connection.text)![1]!
      expect(JSON.parse(data)).toMatchObject({ id, event: 'snapshot', job: { id: held.id } })
      expect(connection.text).toMatch(/^content-type: text\/event-stream\r$/im)
      expect(connection.text).toMatch(/^cache-control: no-store\r$/im)
      expect(connection.text).toMatch(/^x-accel-buffering: no\r$/im)
      await connection.says(new RegExp(`\n: heartbeat\nid: ${id}\n\n`))
      held.finish()
      await connection.says(/event: job\ndata: .*"state":"done"/)
    })
  })

  it('is the default unless NDJSON is requested', async () => {
    const ann = await shared.newCaller()
    const types: Record<string, string> = {
      '*/*': 'text/event-stream',
      'text/html,*/*': 'text/event-stream',
      'application/x-ndjson': 'application/x-ndjson',
      'application/x-ndjson, text/event-stream;q=0.5': 'application/x-ndjson',
      'text/event-stream, application/x-ndjson': 'text/event-stream',
    }
    for (const [accept, type] of Object.entries(types)) {
      const request = ann.open('/jobs/events', { headers: { Accept: accept } })
      request.on('error', () => {})
      const answered = new Promise((resolve) => {
        request.on('response', ({ headers }) => resolve(headers['content-type']))
      })
      request.end()
      expect(await answered).toBe(type)
      request.destroy()
    }
  })
})

describe('the end of an event stream', () => {
  it('happens when its session is revoked, and affects no other stream', async () => {
    const ann = await shared.newCaller()
    const same = await listenTo(ann)
    const { username } = (await ann.call('/auth/me')).json
    const elsewhere = new Caller(shared.server, await shared.server.logIn(username))
    const other = await listenTo(elsewhere)
    expect((await ann.post('/auth/logout')).status).toBe(204)
    await same.ended()
    await elsewhere.put('a', 'x')
    await other.find('what happens later', ({ job }) => job.state === 'done')
    expect((await ann.call('/jobs/events')).status).toBe(401)
  })

  it('happens when its account is disabled', async () => {
    const [ann, admin] = [await shared.newCaller(), await shared.admin()]
    const stream = await listenTo(ann)
    const { username } = (await ann.call('/auth/me')).json
    await admin.call(`/accounts/user:${username}`, { method: 'PATCH', body: { disabled: true } })
    await stream.ended()
  })

  onOneServer('it closes its server', () => {
    it('happens at once when the server shuts down, also during the grace period of a transfer', async () => {
      const server = await startTestServer({ shutdownGraceMs: 60_000 })
      const ann = new Caller(server, await server.logIn('ann'))
      const held = await holdUpload(ann, 'a')
      const stream = await listenTo(ann)
      const closing = server.close()
      await stream.ended()
      expect((await ann.job(held.id).catch(() => null))?.state ?? 'running').toBe('running')
      held.finish()
      await closing
      expect((await held.answer).status).toBe(201)
    })
  })

  it('removes the listener of a disconnected client', async () => {
    const ann = await shared.newCaller()
    const streams = await Promise.all(Array.from({ length: 20 }, () => listenTo(ann)))
    for (const stream of streams) stream.cut()
    await ann.put('a', 'x')
    expect(shared.server.errors).toEqual([])
  })
})

/** What came before the first change of a job. */
function beginningOf({ events }: { events: JobEvent[] }): string[] {
  return events.map(({ event }) => event).filter((event) => event !== 'job')
}

/** Uploads that come and go, and are paused, until `end`. */
function keepBusy(caller: Caller): { end(): Promise<void> } {
  let going = true
  const work = (async () => {
    for (let round = 0; going; round++) {
      const request = caller.open(`/files/busy-${round % 3}`, { method: 'PUT', headers: { 'Content-Length': 3000 } })
      const answer = answerOf(request)
      for (let chunk = 0; chunk < 3; chunk++) {
        request.write(Buffer.alloc(1000))
        await delay(10)
      }
      await answer
    }
  })()
  return {
    async end() {
      going = false
      await work
    },
  }
}
