import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { curl, source, time } from '../lab.mjs'
import { startFilejobs } from '../servers.mjs'
import { putOurs } from './uploads.mjs'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'cli-upload',
    work: '`filejobs upload` of SIZE, against `curl -T` to the same server',
    atMost: 1.25,
    needs: ['curl'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const server = await startFilejobs(lab)
      return {
        ours() {
          rmSync(server.file('bench.bin'), { force: true })
          return run(lab, server, ['upload', file, '--name', 'bench.bin'])
        },
        other: () => putOurs(server, file),
      }
    },
  },
  {
    name: 'cli-export',
    work: '`filejobs export` of SIZE to a file, against `curl -o` from the same server',
    atMost: 1.25,
    needs: ['curl'],
    async pair(lab, sizeMiB) {
      const server = await startFilejobs(lab)
      const target = join(lab.folder('target'), 'bench.bin')
      await putOurs(server, source(lab, sizeMiB))
      return {
        ours() {
          rmSync(target, { force: true })
          return run(lab, server, ['export', 'bench.bin', '-o', target])
        },
        other() {
          rmSync(target, { force: true })
          return curl([...server.as, '-o', target, `${server.url}/files/bench.bin`])
        },
      }
    },
  },
  {
    name: 'cli-version',
    work: '`filejobs --version`, against `node -e 0`',
    atMost: 1.6,
    runs: 21,
    async pair(lab) {
      const seconds = async (args) => (await time(process.execPath, args)).seconds
      return { ours: () => seconds([lab.program, '--version']), other: () => seconds(['-e', '0']) }
    },
  },
]

/** The seconds of a command of the command line, with its start. */
export async function run(lab, server, args) {
  const env = { ...process.env, FILEJOBS_SERVER: server.url, FILEJOBS_TOKEN: server.token, XDG_STATE_HOME: lab.disk }
  return (await time(process.execPath, [lab.program, ...args], { env })).seconds
}
