import { setTimeout as sleep } from 'node:timers/promises'
import { curl, source } from '../lab.mjs'
import { peakResidentMb, processorTicks, watchLoad } from '../processes.mjs'
import { startSendersAt } from '../senders.mjs'
import { signUpMany, startFilejobs } from '../servers.mjs'
import { openSharedStorage, startServer, startWithBucket } from '../shared-storage.mjs'
import { makeFolder, repeated, upload } from './folders.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'bucket-upload',
    work: "server's processor time for SIZE by `curl -T` into a bucket, against the same into a local folder",
    atMost: 1.8,
    needs: ['curl', 'cluster'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const [bucket, local] = [await startWithBucket(lab), await startFilejobs(lab)]
      const put = (server) =>
        processorTime(server, () => curl([...server.as, '-T', file, `${server.url}/files/bench.bin`]))
      return { ours: () => put(bucket), other: () => put(local) }
    },
  },
  {
    name: 'bucket-export',
    work: "server's processor time for an export of SIZE from a bucket",
    unit: 's',
    atMost: 2.2,
    needs: ['curl', 'cluster'],
    async measure(lab, sizeMiB) {
      const server = await startWithBucket(lab)
      const url = `${server.url}/files/bench.bin`
      await curl([...server.as, '-T', source(lab, sizeMiB), url])
      const times = []
      for (let round = 0; round < 5; round++) {
        times.push(await processorTime(server, () => curl([...server.as, '-o', '/dev/null', url])))
      }
      return times.sort((a, b) => a - b)[2]
    },
  },
  {
    name: 'bucket-memory-many',
    work: 'server memory (peak resident) with 500 slow uploads at once into a bucket (64 KiB/s each, 150 s: each sends an object)',
    atMost: 250,
    unit: 'MB',
    needs: ['cluster'],
    async measure(lab) {
      const storage = await openSharedStorage(lab)
      const server = await startServer(lab, storage, { flags: ['--jobs-per-account', '100'] })
      await startSendersAt(lab, [server], await signUpMany(server, 20), 500, 64 * 1024)
      const load = watchLoad()
      await sleep(150_000)
      const stored = Math.round(storage.storedBytes() / 8 / 1024 ** 2)
      return { figure: peakResidentMb(server.pid), detail: `${stored} objects of 8 MiB; ${load()}` }
    },
  },
  {
    name: 'bucket-many',
    work: '`filejobs upload` of a folder with 2,000 files of 4 KiB into a bucket',
    atLeast: 300,
    unit: 'files/s',
    needs: ['cluster'],
    async measure(lab) {
      const folder = makeFolder(lab, 20, 100, 4096)
      const server = await startWithBucket(lab)
      const load = watchLoad()
      const { figure, detail } = await repeated((run) => upload(lab, server, folder, ['--name', `run-${run}`]))
      return { figure: 2000 / figure, detail: `${detail}; ${load()}` }
    },
  },
]

async function processorTime({ pid }, work) {
  const before = processorTicks(pid)
  await work()
  return (processorTicks(pid) - before) / 100
}
