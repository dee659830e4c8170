import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lab.mjs'
import { until } from './senders.mjs'
import { startFilejobs } from './servers.mjs'

/** Starts a server that notes when it has received and answered the requests whose paths end with `path`. */
export async function startTimed(lab, path, options = {}) {
  const report = join(lab.folder('times'), 'times')
  const env = {
    NODE_OPTIONS: `--import ${join(root, 'bench/request-times.mjs')}`,
    BENCH_TIMES: report,
    BENCH_PATH: path,
  }
  const server = await startFilejobs(lab, { ...options, env })
  return {
    server,
    /** By the request's path: when it was parsed, and when its answer was written, by `sharedNow`. */
    async times() {
      rmSync(report, { force: true })
      process.kill(server.pid, 'SIGUSR2')
      let times
      await until('the times are written', () => {
        times = readIfThere(report)
        return times !== undefined
      })
      return times
    },
  }
}

function readIfThere(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
