import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { curl, root, source, time } from '../lab.mjs'
import { peakResidentMb, processorTicks } from '../processes.mjs'
import { startSenders, until } from '../senders.mjs'
import { startFilejobs } from '../servers.mjs'
import { putOurs } from './uploads.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'memory-large',
    work: 'server memory (peak resident) with 1 upload of 4 × SIZE',
    atMost: 200,
    unit: 'MB',
    needs: ['curl'],
    async measure(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      const pipe = `cat "$1" "$1" "$1" "$1" | curl -sSf -T - -H "Authorization: Bearer $2" "$3/files/large.bin"`
      await time('sh', ['-c', pipe, 'sh', file, server.token, server.url])
      return peakResidentMb(server.pid)
    },
  },
  {
    name: 'memory-many',
    work: 'server memory (peak resident) with 500 slow uploads at once (64 KiB/s each, 20 s)',
    atMost: 250,
    unit: 'MB',
    async measure(lab) {
      const server = await startFilejobs(lab, { flags: ['--jobs-per-account', '1000'] })
      await startSenders(lab, server, 500, 64 * 1024)
      await sleep(20_000)
      return peakResidentMb(server.pid)
    },
  },
  {
    name: 'loop',
    work: "the server's event-loop delay (p99) while 4 logins are being checked and one export runs",
    atMost: 20,
    unit: 'ms',
    needs: ['curl'],
    async measure(lab, sizeMiB) {
      const report = join(lab.disk, 'loop-delay')
      const env = { NODE_OPTIONS: `--import ${join(root, 'bench/loop-delay.mjs')}`, BENCH_LOOP: report }
      const server = await startFilejobs(lab, { env })
      await putOurs(server, source(lab, sizeMiB))
      const readDelay = async () => {
        rmSync(report, { force: true })
        process.kill(server.pid, 'SIGUSR2')
        await until('the delay is written', () => exists(report))
        return Number(readFileSync(report, 'utf8'))
      }

      await readDelay()
      let checking = true
      const exporting = (async () => {
        while (checking) await curl([...server.as, '-o', '/dev/null', `${server.url}/files/bench.bin`])
      })()
      // Four at a time, three times over: each waits for its password's 0.3 s and more.
      for (let round = 0; round < 3; round += 1) await Promise.all([1, 2, 3, 4].map(() => logIn(server)))
      const delay = await readDelay()
      checking = false
      await exporting
      return delay
    },
  },
  {
    name: 'listeners',
    work: 'extra server CPU of 200 listeners on `/jobs/events` while 50 jobs run',
    atMost: 20,
    unit: '% of one core',
    async measure(lab) {
      const server = await startFilejobs(lab, { flags: ['--jobs-per-account', '1000'] })
      await startSenders(lab, server, 50, 256 * 1024)
      // The code that is warm by then is not what listeners cost.
      await sleep(10_000)
      const before = await busyPercent(server.pid)
      const { received, leave } = await listen(server, 200)
      const percent = await busyPercent(server.pid)
      // Each of 50 jobs has three events a second and more, of 300 bytes and more: who hears less proves nothing.
      const least = Math.min(...received)
      leave()
      if (least < 10 * 50 * 3 * 300) throw new Error(`A listener received ${least} bytes only.`)
      await sleep(1000)
      const after = await busyPercent(server.pid)
      return Math.max(0, percent - (before + after) / 2)
    },
  },
]

/** Opens event streams, and counts the bytes that each receives from then on. */
async function listen(server, count) {
  const headers = { authorization: `Bearer ${server.token}`, accept: 'application/x-ndjson' }
  const received = Array.from({ length: count }, () => 0)
  const streams = await Promise.all(
    received.map(async (_, index) => {
      const [response] = await once(get(`${server.url}/jobs/events`, { headers, agent: false }), 'response')
      response.on('data', (chunk) => {
        received[index] += chunk.length
      })
      return response
    }),
  )
  received.fill(0)
  const leave = () => {
    for (const stream of streams) stream.destroy()
  }
  return { received, leave }
}

/** How much of one core a process used over ten seconds. The kernel counts in hundredths of a second. */
async function busyPercent(pid) {
  const before = processorTicks(pid)
  await sleep(10_000)
  return (processorTicks(pid) - before) / 10
}

function exists(path) {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

function logIn(server) {
  return server.call('/auth/login', {
    method: 'POST',
    body: JSON.stringify({ username: 'bench', password: 'bench-password' }),
  })
}
