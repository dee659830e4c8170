import { readFileSync } from 'node:fs'
import { curl, source } from '../lab.mjs'
import { startFilejobs } from '../servers.mjs'
import { startWithBucket } from '../shared-storage.mjs'

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
]

async function processorTime({ pid }, work) {
  const before = ticksOf(pid)
  await work()
  return (ticksOf(pid) - before) / 100
}

/** Hundredths of a second, of all threads. */
function ticksOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return Number(fields[11]) + Number(fields[12])
}
