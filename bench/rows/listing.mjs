import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { time } from '../lab.mjs'
import { startFilejobs } from '../servers.mjs'

const count = 100_000

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'folder-first',
    work: 'the first page (100) of a folder with 100,000 files, put there by hand',
    atMost: 250,
    unit: 'ms',
    async measure(lab) {
      return (await page(await startWithFiles(lab), '')).ms
    },
  },
  {
    name: 'folder-page',
    work: 'the later pages of that folder, 1000 files each (p99 of 100)',
    atMost: 50,
    unit: 'ms',
    async measure(lab) {
      const server = await startWithFiles(lab)
      return (await readAll(server)).sort((a, b) => a - b)[98]
    },
  },
  {
    name: 'folder-all',
    work: '`filejobs ls` of that folder',
    atMost: 6000,
    unit: 'ms',
    async measure(lab) {
      const server = await startWithFiles(lab)
      const env = {
        ...process.env,
        FILEJOBS_SERVER: server.url,
        FILEJOBS_TOKEN: server.token,
        XDG_STATE_HOME: lab.disk,
      }
      const { seconds, output } = await time(process.execPath, [lab.program, 'ls', '--json'], { env })
      const lines = output.split('\n').length - 1
      if (lines !== count) throw new Error(`ls told of ${lines} files`)
      return seconds * 1000
    },
  },
  {
    name: 'folder-memory',
    work: 'growth of server memory (resident) while that folder is listed twice',
    atMost: 60,
    unit: 'MB',
    async measure(lab) {
      const server = await startWithFiles(lab)
      const before = residentMB(server.pid)
      for (let round = 0; round < 2; round += 1) await readAll(server)
      return residentMB(server.pid) - before
    },
  },
]

async function startWithFiles(lab) {
  const server = await startFilejobs(lab)
  const folder = server.file('')
  mkdirSync(folder, { recursive: true })
  for (let index = 0; index < count; index += 1) {
    writeFileSync(join(folder, `file-${String((index * 7919) % count).padStart(6, '0')}.txt`), 'x')
  }
  // The first request of a server loads code.
  await server.call('/auth/me')
  return server
}

/** Lists all files and gives the milliseconds of each page but the first. */
async function readAll(server) {
  const times = []
  let { next } = await page(server, '&limit=1000')
  while (next) {
    const later = await page(server, `&limit=1000&cursor=${next}`)
    times.push(later.ms)
    next = later.next
  }
  return times
}

async function page(server, query) {
  const startedAt = performance.now()
  const { next } = await server.call(`/files?${query}`)
  return { next, ms: performance.now() - startedAt }
}

function residentMB(pid) {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}
