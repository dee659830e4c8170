import { once } from 'node:events'
import { connect } from 'node:net'
import { openEvents } from '../job-events.mjs'
import { fillTables } from '../large-tables.mjs'
import { median } from '../lines.mjs'
import { watchLoad } from '../processes.mjs'
import { logInAdmin } from '../servers.mjs'
import { openSharedStorage, startServers } from '../shared-storage.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'cluster-large',
    work: 'with 2,000 unfinished jobs, 100,000 accounts, a history of 1,000,000 jobs and 500,000 files: claim, publish, and pages of 100 jobs and files, each by a request (medians of 50, the longest)',
    atMost: 20,
    unit: 'ms',
    needs: ['cluster'],
    async measure(lab) {
      const storage = await openSharedStorage(lab)
      const [server] = await startServers(lab, storage, 2)
      const large = { accounts: 100_000, endedJobs: 1_000_000, pausedJobs: 2000, files: 500_000 }
      await fillTables(storage.sql, large)
      const admin = { headers: { authorization: `Bearer ${await logInAdmin(server)}` } }
      const uploads = await uploadSome(server)
      const load = watchLoad()
      const figures = {
        claim: median(uploads.map(({ claimMs }) => claimMs)),
        publish: median(uploads.map(({ publishMs }) => publishMs)),
        jobs: await medianOf(() => server.call('/jobs?limit=100')),
        'failed jobs': await medianOf(() => server.call('/jobs?limit=100&state=failed')),
        'failed jobs of all': await medianOf(() => server.call('/jobs?limit=100&account=all&state=failed', admin)),
        'jobs of all': await medianOf(() => server.call('/jobs?limit=100&account=all', admin)),
        files: await medianOf(() => server.call('/files?limit=100&prefix=folder/')),
      }
      const detail = Object.entries(figures).map(([name, ms]) => `${name} ${ms.toFixed(1)}`)
      return { figure: Math.max(...Object.values(figures)), detail: `${detail.join(', ')} ms; ${load()}` }
    },
  },
]

const times = 50

/** Small uploads, each with the milliseconds from its head until its job runs, and from its last byte to the answer. */
async function uploadSome(server) {
  const events = await openEvents(server, server.token)
  const { hostname, port } = new URL(server.url)
  const measured = []
  for (let index = 0; index < times; index += 1) {
    const id = crypto.randomUUID()
    const socket = connect({ host: hostname, port: Number(port) })
    await once(socket, 'connect')
    const runs = events.next(({ job }) => job?.id === id && job.state === 'running')
    const askedAt = performance.now()
    socket.write(
      `PUT /files/folder/new-${index} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${server.token}\r\n` +
        `Content-Length: 4096\r\nFilejobs-Job: ${id}\r\n\r\n`,
    )
    const claimMs = (await runs) - askedAt
    const sentAt = performance.now()
    socket.write(Buffer.alloc(4096))
    const [answer] = await once(socket, 'data')
    measured.push({ claimMs, publishMs: performance.now() - sentAt })
    if (!String(answer).startsWith('HTTP/1.1 201')) throw new Error(`PUT: ${answer}`)
    socket.destroy()
  }
  events.close()
  return measured
}

async function medianOf(request) {
  const each = []
  while (each.length < times) {
    const startedAt = performance.now()
    await request()
    each.push(performance.now() - startedAt)
  }
  return median(each)
}
