import { spawnSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { curl, root, source, time } from '../lab.mjs'
import { percentile } from '../lines.mjs'
import { until } from '../senders.mjs'
import { startFilejobs } from '../servers.mjs'

/** What `filejobs serve` gives an import by default. */
const memoryBytes = 512 * 1024 ** 2
const endless = 'with recursive t as (select 1 union all select * from t) select count(*) from t'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'import-copy',
    work: 'import of ROWS rows of 14 columns, against the same `COPY … TO parquet` by DuckDB alone',
    atMost: 1.2,
    async pair(lab, sizeMiB) {
      const file = salesFile(lab, sizeMiB)
      const server = await startFilejobs(lab)
      place(server, file)
      const output = join(lab.folder('alone'), 'sales.parquet')
      return {
        async ours() {
          const startedAt = performance.now()
          await importSales(server, { prefer: 'wait=600' })
          const seconds = (performance.now() - startedAt) / 1000
          await server.call('/tables/sales', { method: 'DELETE' })
          return seconds
        },
        async other() {
          rmSync(output, { force: true })
          const args = [join(root, 'bench/duckdb-copy.mjs'), file, output, String(memoryBytes), '1']
          return Number((await time(process.execPath, args)).output)
        },
      }
    },
  },
  {
    name: 'import-memory',
    work: 'the same: memory of the server and its processes, peak over idle',
    atMost: 700,
    unit: 'MB',
    async measure(lab, sizeMiB) {
      const server = await startFilejobs(lab)
      place(server, salesFile(lab, sizeMiB))
      const idle = residentMb(server.pid)
      let peak = 0
      let importing = true
      const watching = (async () => {
        while (importing) {
          peak = Math.max(peak, residentMb(server.pid))
          await sleep(50)
        }
      })()
      await importSales(server, { prefer: 'wait=600' }).finally(() => {
        importing = false
      })
      await watching
      return peak - idle
    },
  },
  {
    name: 'import-stop',
    work: 'stop of that import, from the request to the receipt, no file left (the longest of 9)',
    atMost: 150,
    unit: 'ms',
    async measure(lab, sizeMiB) {
      const server = await startFilejobs(lab)
      place(server, salesFile(lab, sizeMiB))
      const times = []
      for (let tenth = 1; tenth < 10; tenth += 1) {
        const { id } = await importSales(server)
        await until(`${tenth} tenths are read`, async () => (await server.call(`/jobs/${id}`)).percent >= tenth * 9)
        const startedAt = performance.now()
        await server.call('/import/stop', { method: 'POST' })
        times.push(performance.now() - startedAt)
        const left = readdirSync(join(server.data, 'partial'))
        if (left.length > 0) throw new Error(`The stop has left ${left}.`)
      }
      return Math.max(...times)
    },
  },
  {
    name: 'import-upload',
    work: 'upload of SIZE by `curl -T` while that import runs on one thread, against the same without (a rate of 0.6 ×)',
    atMost: 1.67,
    needs: ['curl'],
    async pair(lab, sizeMiB) {
      const server = await startFilejobs(lab)
      const file = source(lab, sizeMiB)
      place(server, salesFile(lab, sizeMiB))
      const upload = () => {
        rmSync(server.file('bench.bin'), { force: true })
        return curl([...server.as, '-T', file, `${server.url}/files/bench.bin`])
      }
      return {
        async ours() {
          const { id } = await importSales(server)
          await until('the import reads', async () => (await server.call(`/jobs/${id}`)).bytes > 0)
          const seconds = await upload()
          const { state } = await server.call(`/jobs/${id}`)
          if (state !== 'running') throw new Error(`The import was ${state} before the upload was.`)
          await server.call('/import/stop', { method: 'POST' })
          return seconds
        },
        other: upload,
      }
    },
  },
  {
    name: 'rows-from',
    work: '`GET /tables/T/rows?from=…`, 30 rows out of ROWS (median of 50)',
    atMost: 150,
    unit: 'ms',
    measure: (lab, sizeMiB) => page(lab, sizeMiB, () => 'from=2017-07-31&limit=30'),
  },
  {
    name: 'rows-page',
    work: 'the same, 100 rows at offset 1 million, or at a fifth of them (median of 50)',
    atMost: 300,
    unit: 'ms',
    measure: (lab, sizeMiB) => page(lab, sizeMiB, (count) => `offset=${Math.floor(count / 5)}&limit=100`),
  },
  {
    name: 'tables-stat',
    work: 'a stat of a file by the server while two queries and that import run (p99 of 500)',
    atMost: 20,
    unit: 'ms',
    async measure(lab, sizeMiB) {
      const server = await startFilejobs(lab)
      place(server, salesFile(lab, sizeMiB))
      for (let query = 0; query < 2; query += 1) {
        const body = JSON.stringify({ sql: endless })
        // They run until they are killed, and are answered with an error then.
        server.call('/query', { method: 'POST', body }).catch(() => {})
      }
      const { id } = await importSales(server)
      await until('the import reads', async () => (await server.call(`/jobs/${id}`)).bytes > 0)
      const times = []
      for (let request = 0; request < 500; request += 1) {
        const startedAt = performance.now()
        await fetch(`${server.url}/files/sales.csv`, {
          method: 'HEAD',
          headers: { authorization: `Bearer ${server.token}` },
        })
        times.push(performance.now() - startedAt)
      }
      await server.call('/import/stop', { method: 'POST' }).catch(() => {})
      return percentile(times, 99)
    },
  },
]

/** For 1 GiB of the other rows, 5 million rows of sales: 0.6 GB. */
function salesFile(lab, sizeMiB) {
  const path = join(lab.disk, 'sales.csv')
  if (!existsSync(path)) {
    const count = Math.round((5_000_000 * sizeMiB) / 1024)
    const made = spawnSync('sh', ['-c', `node "$1" ${count} > "$2"`, 'sh', join(root, 'bench/make-sales.mjs'), path])
    if (made.status !== 0) throw new Error(`Could not make ${path}: ${made.stderr}`)
  }
  return path
}

/** Puts the file among those of the account by hand, as any program may. */
function place(server, file) {
  mkdirSync(dirname(server.file('sales.csv')), { recursive: true })
  linkSync(file, server.file('sales.csv'))
}

function importSales(server, headers = {}) {
  return server.call('/import', { method: 'POST', body: JSON.stringify({ filename: 'sales.csv' }), headers })
}

async function page(lab, sizeMiB, queryOf) {
  const server = await startFilejobs(lab)
  place(server, salesFile(lab, sizeMiB))
  const { rows: count } = await importSales(server, { prefer: 'wait=600' })
  const path = `/tables/sales/rows?${queryOf(count)}`
  // The process that reads rows is warm after the first.
  await server.call(path)
  const times = []
  for (let request = 0; request < 50; request += 1) {
    const startedAt = performance.now()
    await server.call(path)
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[25]
}

/** What a process and its children hold, in MB. */
export function residentMb(pid) {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
  const kilobytes = stdout.split('\n').map((line) => {
    const [own, parent, resident] = line.trim().split(/\s+/).map(Number)
    return own === pid || parent === pid ? resident : 0
  })
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1000
}
