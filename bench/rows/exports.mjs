import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { curl, source } from '../lab.mjs'
import { startFilejobs, startNginx } from '../servers.mjs'
import { putOurs } from './uploads.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'export-nginx',
    work: 'export SIZE, `curl` from `GET /files/…`, against nginx (sendfile)',
    atMost: 1.05,
    needs: ['curl', 'nginx'],
    runs: 9,
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      const nginx = await startNginx(lab)
      await putOurs(server, file)
      copyFileSync(file, join(nginx.files, 'bench.bin'))
      return {
        ours: () => curl([...server.as, '-o', '/dev/null', `${server.url}/files/bench.bin`]),
        other: () => curl(['-o', '/dev/null', `${nginx.url}/bench.bin`]),
      }
    },
  },
]
