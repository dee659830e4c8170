import { setTimeout as sleep } from 'node:timers/promises'
import { openEvents } from '../job-events.mjs'
import { percentile, spread } from '../lines.mjs'
import { processorTicksOfFamily, watchLoad } from '../processes.mjs'
import { startSendersAt } from '../senders.mjs'
import { logInAdmin, signUpMany } from '../servers.mjs'
import { openSharedStorage, startServers } from '../shared-storage.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'cluster-events',
    work: 'pause or resume of a job at one of two servers while 200 run there, from the request to the event at the other one (p99 of 200)',
    atMost: 100,
    unit: 'ms',
    needs: ['cluster'],
    async measure(lab, _, { isPaired = false } = {}) {
      const [here, there] = await startServers(lab, await openSharedStorage(lab), 2, { flags })
      await startSendersAt(lab, [here], [here.token, ...(await signUpMany(here, 19))], 200, 4096)
      const events = await openEvents(there, there.token)
      const { jobs } = await here.call('/jobs?state=running&limit=100')
      const load = watchLoad()
      const times = []
      while (times.length < (isPaired ? 20 : 200)) {
        const { id } = jobs[(times.length / 2) % jobs.length]
        for (const [change, state] of changes) {
          const heard = events.next((event) => event.job?.id === id && event.job.state === state)
          const askedAt = performance.now()
          await here.call(`/jobs/${id}/${change}`, { method: 'POST' })
          times.push((await heard) - askedAt)
        }
      }
      events.close()
      return { figure: percentile(times, 99), detail: `${spread(times)} ms; ${load()}`, times }
    },
  },
  {
    name: 'cluster-progress',
    work: 'extra processor time of PostgreSQL for the progress of 2,000 jobs at one of two servers to a listener at the other one',
    atMost: 5,
    unit: '% of one core',
    needs: ['cluster'],
    async measure(lab) {
      const storage = await openSharedStorage(lab)
      const [here, there] = await startServers(lab, storage, 2, { flags })
      await startSendersAt(lab, [here], await signUpMany(here, 40), 2000, 4096)
      const load = watchLoad()
      const before = await busyPercent(storage)
      const events = await openEvents(there, await logInAdmin(there), '?account=all')
      const startedAt = events.count()
      const during = await busyPercent(storage)
      const eventsPerSecond = (events.count() - startedAt) / measuredSeconds
      events.close()
      // Others tell for 15 s what was wanted last.
      await sleep(16_000)
      const after = await busyPercent(storage)
      // Each of 2,000 jobs has four events a second: whoever hears few of them proves nothing.
      if (eventsPerSecond < 2000) throw new Error(`The listener heard ${eventsPerSecond} events a second only.`)
      const figure = Math.max(0, during - (before + after) / 2)
      return { figure, detail: `${Math.round(eventsPerSecond)} events a second; ${load()}` }
    },
  },
]

const flags = ['--jobs-per-account', '1000']
const changes = [
  ['pause', 'paused'],
  ['resume', 'running'],
]
const measuredSeconds = 20

async function busyPercent({ databasePid }) {
  const before = processorTicksOfFamily(databasePid)
  await sleep(measuredSeconds * 1000)
  return (processorTicksOfFamily(databasePid) - before) / measuredSeconds
}
