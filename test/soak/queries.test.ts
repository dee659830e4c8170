import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller, holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { startServe } from '../helpers/serve.js'
import { makeTable } from '../helpers/tables.js'

const sql = 'select n % 10 as k, count(*) as c from t, range(20) group by k order by k'
const csv = `n\n${Array.from({ length: 20_000 }, (_, n) => n).join('\n')}\n`

describe('beside 40 loops of queries and pages of rows of one account, and one of each of eight others', () => {
  it('another account queries as fast as the eight, stops in 1 s, and /healthz answers in 100 ms as a rule', async () => {
    const server = await startServe()
    const anybody = new Caller(server, '')
    const open = async (username: string) => {
      const { json } = await anybody.post('/auth/signup', { username, password: 'correct horse' })
      const caller = new Caller(server, json.token)
      await makeTable(caller, 't', csv)
      return caller
    }
    const [victim, greedy] = [await open('victim'), await open('greedy')]
    const others: Caller[] = []
    for (let index = 0; index < 8; index++) others.push(await open(`other-${index}`))

    let isOver = false
    const answered = new Map<string, number>()
    const count = (what: string) => answered.set(what, (answered.get(what) ?? 0) + 1)
    const query = (caller: Caller) => {
      return caller.call('/query', { method: 'POST', body: { sql }, headers: { Prefer: 'wait=60' } })
    }
    const fair: number[] = []
    const loop = async (caller: Caller) => {
      while (!isOver) {
        const start = performance.now()
        const [first, second] = await Promise.all([query(caller), caller.call('/tables/t/rows?limit=1000&page=7')])
        if (caller !== greedy && first.status === 200) fair.push(performance.now() - start)
        for (const [what, { status }] of Object.entries({ query: first, rows: second })) {
          count(`${what} ${status}`)
          expect([200, 409, 429, 503]).toContain(status)
          // As a program that heeds Retry-After more than this one would.
          if (status !== 200) await delay(20)
        }
      }
    }
    const loops = [...Array.from({ length: 40 }, () => loop(greedy)), ...others.map((other) => loop(other))]
    onTestFinished(async () => {
      isOver = true
      await Promise.all(loops)
    })
    await eventually('the loops are under way', () => (answered.get('query 200') ?? 0) >= 20, 60_000)

    const health: number[] = []
    const watch = (async () => {
      while (!isOver) {
        health.push((await timed(() => anybody.call('/healthz'), 200)).tookMs)
        await delay(20)
      }
    })()
    const queries: number[] = []
    const stops: number[] = []
    for (let round = 0; round < 10; round++) {
      const { answer, tookMs } = await timed(() => query(victim), 200)
      expect(answer.json.results).toHaveLength(10)
      queries.push(tookMs)
      const upload = await holdUpload(victim, 'held', { size: 1_000_000 })
      stops.push((await timed(() => victim.post(`/jobs/${upload.id}/stop`), 200)).tookMs)
      expect(await upload.answer).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    }
    isOver = true
    await watch
    await Promise.all(loops)
    const typical = { query: median(queries), ofTheEight: median(fair) }
    console.log({ answered, ...typical, stops: longest(stops), health: median(health), longest: longest(health) })
    expect(typical.query).toBeLessThan(2 * typical.ofTheEight)
    expect(longest(stops)).toBeLessThan(1000)
    expect(median(health)).toBeLessThan(100)
    await delay(1000)
    expect((await timed(() => query(greedy), 200)).tookMs).toBeLessThan(2000)
    expect((await victim.put('after', 'after')).status).toBe(201)
  })
})

async function timed<T extends { status: number }>(ask: () => Promise<T>, status: number) {
  const start = performance.now()
  const answer = await ask()
  const tookMs = performance.now() - start
  expect(answer.status).toBe(status)
  return { answer, tookMs }
}

function median(times: number[]): number {
  return Math.round([...times].sort((a, b) => a - b)[times.length >> 1]!)
}

function longest(times: number[]): number {
  return Math.round(Math.max(...times))
}
