import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { curl, source } from '../lab.mjs'
import { until } from '../senders.mjs'
import { startFilejobs, startPeer } from '../servers.mjs'
import { bearer, createUpload, offsetOf, startPatch } from '../tus-requests.mjs'
import { putOurs } from './uploads.mjs'

const patchHeaders = ['-H', 'Tus-Resumable: 1.0.0', '-H', 'Content-Type: application/offset+octet-stream']

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'tus-peer',
    work: 'PATCH of SIZE by `curl`, against @tus/server with @tus/file-store',
    atMost: 0.8,
    needs: ['curl', 'peers'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      const peer = await startPeer(lab, 'tus')
      return {
        ours: () => patchOurs(server, file),
        async other() {
          for (const name of readdirSync(peer.folder)) rmSync(join(peer.folder, name))
          return patch(await createUpload(`${peer.url}/files`, {}, statSync(file).size), [], file)
        },
      }
    },
  },
  {
    name: 'tus-put',
    work: 'PATCH of SIZE by `curl`, against our own raw PUT',
    atMost: 1.05,
    needs: ['curl'],
    runs: 9,
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      return { ours: () => patchOurs(server, file), other: () => putOurs(server, file) }
    },
  },
  {
    name: 'tus-resume',
    work: 'an upload of SIZE broken at nine tenths, server killed: from its start until bytes flow again',
    atMost: 1500,
    unit: 'ms',
    async measure(lab, sizeMiB) {
      const size = sizeMiB * 1024 ** 2
      const broken = Math.round(size * 0.9)
      const data = lab.folder('data')
      const before = await startFilejobs(lab, { data })
      const upload = new URL(await createUpload(`${before.url}/tus`, bearer(before), size)).pathname
      const sending = startPatch(before, upload, 0, size)
      await sending.send(broken)
      await until('nine tenths have arrived', async () => (await jobBytes(before)) >= broken - 1024 ** 2)
      await before.stop('SIGKILL')
      sending.socket.destroy()

      const startedAt = performance.now()
      const after = await startFilejobs(lab, { data })
      const offset = await offsetOf(after, upload)
      const going = startPatch(after, upload, offset, size)
      going.send(size - offset).catch(() => {})
      await until('bytes flow again', async () => (await jobBytes(after)) > offset)
      const took = performance.now() - startedAt
      going.socket.destroy()
      return took
    },
  },
]

async function patchOurs(server, file) {
  rmSync(server.file('bench.bin'), { force: true })
  return patch(await createUpload(`${server.url}/tus`, bearer(server), statSync(file).size), server.as, file)
}

function patch(url, as, file) {
  return curl([...as, '-X', 'PATCH', ...patchHeaders, '-H', 'Upload-Offset: 0', '-T', file, url])
}

async function jobBytes(server) {
  const { jobs } = await server.call('/jobs?kind=upload&limit=1')
  return jobs[0]?.bytes ?? 0
}
