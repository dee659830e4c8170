import type { Job } from './job.js'

/** What the bytes of a stream are counted for, and what pauses, limits and stops it: a job, or one stream of a job of many files. */
export type Carrier = Pick<Job, 'clock' | 'count' | 'signal' | 'state' | 'throttle' | 'unpaused'>
