import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { curl, source, time } from '../lab.mjs'
import { startFilejobs, startNginx, startPeer } from '../servers.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'upload-nginx',
    work: 'upload SIZE, `curl -T` to `PUT /files/…` with SHA-256 and sync, against nginx WebDAV PUT, which does neither',
    atMost: 2,
    needs: ['curl', 'nginx'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      const nginx = await startNginx(lab)
      return {
        ours: () => putOurs(server, file),
        other() {
          rmSync(join(nginx.files, 'bench.bin'), { force: true })
          return curl(['-T', file, `${nginx.url}/bench.bin`])
        },
      }
    },
  },
  {
    name: 'upload-formidable',
    work: 'the same against express 5 and formidable 3, `curl -F`, which do neither',
    atMost: 0.75,
    needs: ['curl', 'peers'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      const peer = await startPeer(lab, 'formidable')
      return {
        ours: () => putOurs(server, file),
        other: () => curl(['-F', `file=@${file}`, `${peer.url}/upload`]).finally(() => empty(peer.folder)),
      }
    },
  },
  {
    name: 'upload-form',
    work: 'upload SIZE, `curl -F` to `POST /upload`, against our own `curl -T`',
    atMost: 1.25,
    needs: ['curl'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      return {
        ours() {
          rmSync(server.file('bench.bin'), { force: true })
          return curl([...server.as, '-F', `file=@${file};filename=bench.bin`, `${server.url}/upload`])
        },
        other: () => putOurs(server, file),
      }
    },
  },
  {
    name: 'upload-floor',
    work: 'upload SIZE by `curl -T`, against the slower of `openssl dgst -sha256` and a synced `dd` of the same bytes',
    atMost: 1.25,
    needs: ['curl', 'openssl', 'dd'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      const copy = join(lab.folder('copy'), 'copy')
      return {
        ours: () => putOurs(server, file),
        async other() {
          rmSync(copy, { force: true })
          const digest = await time('openssl', ['dgst', '-sha256', file])
          const written = await time('dd', [`if=${file}`, `of=${copy}`, 'bs=1M', 'conv=fdatasync', 'status=none'])
          return Math.max(digest.seconds, written.seconds)
        },
      }
    },
  },
]

/** `curl -T` to our server; the file of the last run is removed first, as it is for the others. */
export function putOurs(server, file, name = 'bench.bin') {
  rmSync(server.file(name), { force: true })
  return curl([...server.as, '-T', file, `${server.url}/files/${name}`])
}

function empty(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
}
