import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { jobKinds } from '../protocol/job-kinds.js'
import type { JobState } from '../protocol/jobs.js'
import type { ProblemCode } from '../protocol/problems.js'
import type { Clock } from './clock.js'
import { remember } from './concurrency/remembered.js'
import type { JobObserver, Jobs } from './jobs/jobs.js'
import type { Capacity } from './stores/capacity.js'
import type { Partials } from './stores/partials.js'
import type { Usage } from './stores/usage.js'

export interface MetricsServices {
  jobs: Pick<Jobs, 'observe' | 'unfinished'>
  partials: Pick<Partials, 'usage'>
  capacity: Pick<Capacity, 'freeBytes'>
  usage: Pick<Usage, 'all'>
  clock: Pick<Clock, 'monotonicMs'>
  /** Of this package. */
  version: string
  /** Figures of the process, to be rendered too. */
  ofProcess?: Registry | undefined
}

/** The metrics for Prometheus: names start with `filejobs_`, units are bytes and seconds. */
export interface Metrics {
  /** The media type of `render`. */
  readonly contentType: string
  /** The current values in Prometheus' text format. */
  render(): Promise<string>
  /** Counts a rejected login, by its code. */
  countRefusedLogin(code: ProblemCode): void
  /** Stops watching the event loop and the jobs. */
  close(): Promise<void>
}

export function openMetrics({ version, ofProcess, ...services }: MetricsServices): Metrics {
  const { jobs } = services
  const registry = new Registry()
  const registers = [registry]
  const endObservation = jobs.observe(countEnds(registers))
  watchJobs(registers, jobs)
  watchDisk(registers, services)
  const loop = watchEventLoop(registers)
  new Gauge({
    name: 'filejobs_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1)
  const refused = new Counter({
    name: 'filejobs_logins_refused_total',
    help: 'Logins and signups that were refused, by the code of the problem.',
    labelNames: ['code'],
    registers,
  })
  for (const code of ['invalid-credentials', 'too-many-attempts', 'busy'] as const) refused.inc({ code }, 0)
  return {
    contentType: registry.contentType,
    render: async () => [await registry.metrics(), await ofProcess?.metrics()].join(''),
    countRefusedLogin: (code) => refused.inc({ code }),
    async close() {
      endObservation()
      loop.disable()
    },
  }
}

/** Ended jobs, by kind and state, with their bytes and durations in seconds. */
function countEnds(registers: Registry[]): JobObserver {
  const labelNames = ['kind', 'end'] as const
  const total = new Counter({ name: 'filejobs_jobs_total', help: 'Jobs that have ended.', labelNames, registers })
  const bytes = new Histogram({
    name: 'filejobs_job_bytes',
    help: 'Bytes that an ended job moved.',
    labelNames,
    buckets: [4 ** 5, 4 ** 7, 4 ** 9, 4 ** 11, 4 ** 13, 4 ** 15, 4 ** 17, 4 ** 19],
    registers,
  })
  const seconds = new Histogram({
    name: 'filejobs_job_seconds',
    help: 'Seconds from the start of a job to its end.',
    labelNames,
    buckets: [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 86_400],
    registers,
  })
  for (const kind of jobKinds) for (const end of ['done', 'stopped', 'failed']) total.inc({ kind, end }, 0)
  return (job, change) => {
    if (change !== 'state' || !job.isEnded) return
    const { kind, state, startedAt, endedAt } = job.record()
    const labels = { kind, end: state }
    total.inc(labels)
    bytes.observe(labels, job.bytes)
    if (startedAt && endedAt) seconds.observe(labels, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
  }
}

/** Unfinished jobs by kind and state, and their current rates. */
function watchJobs(registers: Registry[], jobs: Pick<Jobs, 'unfinished'>): void {
  const states = ['waiting', 'running', 'paused', 'interrupted', 'committing'] as const satisfies JobState[]
  new Gauge({
    name: 'filejobs_jobs',
    help: 'Unfinished jobs.',
    labelNames: ['kind', 'state'],
    registers,
    collect() {
      for (const kind of jobKinds) for (const state of states) this.set({ kind, state }, 0)
      for (const { kind, state } of jobs.unfinished()) this.inc({ kind, state })
    },
  })
  new Gauge({
    name: 'filejobs_bytes_per_second',
    help: 'What all running jobs of a kind move, over the last seconds.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of jobKinds) this.set({ kind }, 0)
      for (const job of jobs.unfinished()) this.inc({ kind: job.kind }, job.record().rate ?? 0)
    },
  })
}

/** NaN if the disk does not respond: the other metrics matter most then. */
function watchDisk(
  registers: Registry[],
  { partials, capacity, usage, clock }: Pick<MetricsServices, 'partials' | 'capacity' | 'usage' | 'clock'>,
): void {
  const bytes = new Gauge({ name: 'filejobs_partial_bytes', help: 'Bytes of all partials.', registers })
  new Gauge({
    name: 'filejobs_partials',
    help: 'Files received in part and not published.',
    registers,
    async collect() {
      const usage = await partials.usage().catch(() => ({ count: Number.NaN, bytes: Number.NaN }))
      this.set(usage.count)
      bytes.set(usage.bytes)
    },
  })
  new Gauge({
    name: 'filejobs_disk_free_bytes',
    help: 'Bytes that uploads can still take of the disk that the data folder is on.',
    registers,
    async collect() {
      this.set(await capacity.freeBytes().catch(() => Number.NaN))
    },
  })
  // All files are looked at for it.
  const storedBytes = remember(async () => sumOf([...(await usage.all()).values()]), storedBytesMs, clock)
  new Gauge({
    name: 'filejobs_stored_bytes',
    help: 'Bytes of the files and tables of all accounts, a minute old at most.',
    registers,
    async collect() {
      this.set(await storedBytes().catch(() => Number.NaN))
    },
  })
}

const storedBytesMs = 60_000

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function watchEventLoop(registers: Registry[]): IntervalHistogram {
  const loop = monitorEventLoopDelay({ resolution: 10 })
  loop.enable()
  new Gauge({
    name: 'filejobs_event_loop_delay_seconds',
    help: 'How late timers of the server were since the last look, by quantile.',
    labelNames: ['quantile'],
    registers,
    collect() {
      // It measures the time between timers, which are 10 ms apart if nothing is delayed.
      const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - 0.01)
      this.set({ quantile: '0.5' }, late(loop.percentile(50)))
      this.set({ quantile: '0.99' }, late(loop.percentile(99)))
      this.set({ quantile: '1' }, late(loop.max))
      loop.reset()
    },
  })
  return loop
}
