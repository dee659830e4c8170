import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../lab.mjs'
import { startFilejobs } from '../servers.mjs'
import { run } from './command-line.mjs'
import { residentMb } from './tables.mjs'

/** As long as a person needs at least from one command to the next. */
const pauseMs = 1000

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'query-one',
    work: '`select 1` by `POST /query`, a second after the query before (median of 20)',
    atMost: 100,
    unit: 'ms',
    async measure(lab) {
      const server = await startFilejobs(lab)
      const select = () => server.call('/query', { method: 'POST', body: JSON.stringify({ sql: 'select 1' }) })
      await select()
      const times = []
      for (let query = 0; query < 20; query += 1) {
        await sleep(pauseMs)
        const startedAt = performance.now()
        await select()
        times.push(performance.now() - startedAt)
      }
      return times.sort((a, b) => a - b)[10]
    },
  },
  {
    name: 'query-beside',
    work: 'the same while another account has as many queries without end as it may (median of 20)',
    unit: 'ms',
    async measure(lab) {
      const server = await startFilejobs(lab)
      const token = (await signUpOther(server)).token
      const query = (sql, own = server.token) =>
        fetch(`${server.url}/query`, {
          method: 'POST',
          headers: { authorization: `Bearer ${own}`, 'content-type': 'application/json' },
          body: JSON.stringify({ sql }),
        })
      let isOver = false
      const others = Array.from({ length: 4 }, async () => {
        while (!isOver) await (await query('select count(*) from range(1000000000000)', token)).text()
      })
      const times = []
      for (let count = 0; count < 20; count += 1) {
        await sleep(pauseMs)
        const startedAt = performance.now()
        const answer = await query('select 1')
        await answer.text()
        if (!answer.ok) throw new Error(`The query was answered ${answer.status}.`)
        times.push(performance.now() - startedAt)
      }
      isOver = true
      await stopAll(server, token, others)
      return times.sort((a, b) => a - b)[10]
    },
  },
  {
    name: 'query-memory',
    work: 'a result of 10 million rows as CSV: memory of the server and its processes, peak over that of 1 million rows',
    atMost: 30,
    unit: 'MB',
    async measure(lab) {
      const server = await startFilejobs(lab)
      // From then on, a process stands ready beside the one that works.
      await peakOf(server, 1000)
      const peaks = []
      for (const count of [1_000_000, 10_000_000]) peaks.push(await peakOf(server, count))
      return Math.max(0, peaks[1] - peaks[0])
    },
  },
  {
    name: 'import-small',
    work: '`filejobs import` of a CSV of 1 MB, against `filejobs upload` of it, each a second after the one before',
    atMost: 2.5,
    async pair(lab) {
      const server = await startFilejobs(lab)
      const file = join(lab.disk, 'small.csv')
      const { stdout } = spawnSync(process.execPath, [join(root, 'bench/make-sales.mjs'), '8200'], {
        maxBuffer: 2 ** 26,
      })
      writeFileSync(file, stdout)
      // The first import finds no process ready.
      await run(lab, server, ['import', file])
      return {
        async ours() {
          await sleep(pauseMs)
          return run(lab, server, ['import', file, '--replace'])
        },
        async other() {
          await sleep(pauseMs)
          return run(lab, server, ['upload', file, '--name', 'other.csv'])
        },
      }
    },
  },
]

async function signUpOther(server) {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ username: 'other', password: 'bench-password' })
  return (await fetch(`${server.url}/auth/signup`, { method: 'POST', headers, body })).json()
}

async function stopAll(server, token, others) {
  const headers = { authorization: `Bearer ${token}` }
  const { jobs } = await (await fetch(`${server.url}/jobs?state=waiting,running`, { headers })).json()
  for (const { id } of jobs) await fetch(`${server.url}/jobs/${id}/stop`, { method: 'POST', headers })
  await Promise.all(others)
}

async function peakOf(server, count) {
  const sql = `select range id, 'a text of some length' words from range(${count})`
  const { body } = await fetch(`${server.url}/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', accept: 'text/csv' },
    body: JSON.stringify({ sql }),
  })
  let peak = 0
  let bytes = 0
  let looked = performance.now()
  for await (const chunk of body) {
    bytes += chunk.length
    if (performance.now() - looked < 50) continue
    looked = performance.now()
    peak = Math.max(peak, residentMb(server.pid))
  }
  if (bytes < count * 20) throw new Error(`Only ${bytes} bytes came.`)
  return peak
}
