// Loaded into the server by --import: on SIGUSR2 it writes to BENCH_TIMES, as JSON, when each request whose path ends with BENCH_PATH
// was parsed and when its answer was written, by its path (ms of the clock that all processes share).
import { subscribe } from 'node:diagnostics_channel'
import { renameSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { sharedNow } from './shared-clock.mjs'

const { BENCH_TIMES: report, BENCH_PATH: path } = process.env
if (isMainThread && report) {
  const requests = {}
  subscribe('http.server.request.start', ({ request }) => {
    if (request.url.endsWith(path)) requests[request.url] = { parsed: sharedNow(), written: null }
  })
  subscribe('http.server.response.finish', ({ request }) => {
    if (requests[request.url]) requests[request.url].written = sharedNow()
  })
  process.on('SIGUSR2', () => {
    writeFileSync(`${report}.new`, JSON.stringify(requests))
    renameSync(`${report}.new`, report)
  })
}
