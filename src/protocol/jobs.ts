import { z } from 'zod'
import { jobKinds, jobStates } from './job-kinds.js'

export type JobKind = (typeof jobKinds)[number]
export type JobState = (typeof jobStates)[number]

export const exampleJob = {
  id: '0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e',
  kind: 'upload',
  account: 'user:ann',
  file: 'video.mkv',
  table: null,
  state: 'running',
  bytes: 536_870_912,
  totalBytes: 1_073_741_824,
  percent: 50,
  rows: null,
  files: null,
  rate: 104_857_600,
  rateLimit: null,
  startedAt: '2026-11-20T09:31:07.000Z',
  endedAt: null,
  stoppedBy: null,
  error: null,
}

const failureSchema = z.object({ name: z.string(), code: z.string(), message: z.string() })
export type FileFailure = z.infer<typeof failureSchema>

const fileCountsSchema = z.object({
  total: z.int().nullable().meta({ description: 'as the client has said; null if unknown' }),
  done: z.int().meta({ description: 'transferred or unchanged' }),
  unchanged: z.int(),
  failed: z.int(),
  failures: z.array(failureSchema).meta({ description: 'of the failed ones the first ten' }),
})

export const jobSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(jobKinds),
    account: z.string().meta({ example: 'user:ann' }),
    file: z.string().nullable().meta({ description: 'of a job of many files the prefix of their names, or empty' }),
    table: z.string().nullable(),
    state: z.enum(jobStates),
    bytes: z.int().meta({ description: 'bytes that the server has accepted (upload, import) or handed on (export)' }),
    totalBytes: z.int().nullable(),
    percent: z.number().nullable(),
    rows: z.int().nullable().meta({ description: 'known at the end of an import or a query' }),
    files: fileCountsSchema.nullable().meta({ description: 'of a job of many files; null for any other' }),
    rate: z.int().nullable().meta({ description: 'bytes per second over the last seconds, while it runs' }),
    rateLimit: z.int().nullable().meta({ description: 'bytes per second' }),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    stoppedBy: z.string().nullable(),
    error: z.looseObject({ code: z.string(), message: z.string(), status: z.int() }).nullable(),
  })
  .meta({
    id: 'Job',
    example: exampleJob,
  })
export type JobRecord = z.infer<typeof jobSchema>

const exampleReceipt = {
  message: 'Stopped the upload of video.mkv: what had arrived is gone, nothing was published.',
  job: {
    ...exampleJob,
    state: 'stopped',
    rate: null,
    endedAt: '2026-11-20T09:31:12.000Z',
    stoppedBy: 'user:ann',
  },
  stoppedBy: 'user:ann',
  stoppedAt: '2026-11-20T09:31:12.000Z',
  bytesDiscarded: 536_870_912,
  published: null,
  cleanedUp: true,
  tookMs: 3.4,
}

export const receiptSchema = z
  .object({
    message: z.string(),
    job: jobSchema,
    stoppedBy: z.string(),
    stoppedAt: z.iso.datetime(),
    bytesDiscarded: z.int(),
    published: z
      .object({ files: z.int(), bytes: z.int() })
      .nullable()
      .meta({ description: 'what stays of a job of many files; null for any other' }),
    cleanedUp: z.boolean(),
    tookMs: z.number(),
  })
  .meta({
    id: 'Receipt',
    description: 'The answer to a stop: the transfer is dead, and nothing of it is left.',
    example: exampleReceipt,
  })
export type Receipt = z.infer<typeof receiptSchema>

/** The response to `/upload/stop` and the like: the newest job's receipt, with all of them in `receipts`. */
export const receiptsSchema = receiptSchema
  .extend({ receipts: z.array(receiptSchema) })
  .meta({ id: 'Receipts', example: { ...exampleReceipt, receipts: [exampleReceipt] } })
export type Receipts = z.infer<typeof receiptsSchema>

/** A job by its id, with what lists leave out. */
export const jobDetailsSchema = jobSchema
  .extend({
    receipt: receiptSchema.nullable().meta({ description: 'of a stopped job; null for any other' }),
    query: z.string().nullable().meta({
      description: 'of a query its SQL, of one with more than 2,000 characters the beginning; null for any other job',
    }),
  })
  .meta({ id: 'JobDetails', example: { ...exampleJob, receipt: null, query: null } })
export type JobDetailsRecord = z.infer<typeof jobDetailsSchema>

export const jobListSchema = z
  .object({ jobs: z.array(jobSchema), next: z.string().nullable() })
  .meta({ id: 'JobList', example: { jobs: [exampleJob], next: null } })
export type JobList = z.infer<typeof jobListSchema>

export const jobEventNames = ['snapshot', 'job', 'resync', 'heartbeat'] as const
export type JobEventName = (typeof jobEventNames)[number]

/** One event of `/jobs/events`, in `data:` of a server-sent event, or on a line of NDJSON. */
export const jobEventSchema = z
  .object({
    id: z
      .string()
      .meta({ description: 'to be sent as Last-Event-ID by one who comes back', example: '0b6fd5a14f1e-42' }),
    event: z.enum(jobEventNames).meta({
      description:
        '`snapshot`: an unfinished job as it is; `job`: it has changed; `resync`: forget what you know, snapshots ' +
        'follow; `heartbeat`: nothing has happened (a comment in a stream of server-sent events)',
    }),
    job: jobSchema.nullable(),
  })
  .meta({ id: 'JobEvent', example: { id: '0b6fd5a14f1e-42', event: 'job', job: exampleJob } })
export type JobEvent = z.infer<typeof jobEventSchema>

/** Bytes per second: a pebibyte. */
export const maxRateLimit = 2 ** 50

const rateLimitSchema = z.int().positive().max(maxRateLimit)
const countSchema = z.int().nonnegative()

export const jobChangesSchema = z
  .object({
    rateLimit: rateLimitSchema.nullable().optional().meta({ description: 'bytes per second, null for none' }),
    files: countSchema.optional().meta({ description: 'how many files a job of many files has in all' }),
    totalBytes: countSchema.optional().meta({ description: 'how many bytes a job of many files has in all' }),
  })
  .refine((changes) => Object.keys(changes).length > 0, { path: ['rateLimit'], message: 'is missing' })
  .meta({ id: 'JobChanges', example: { rateLimit: 5_242_880 } })
export type JobChanges = z.infer<typeof jobChangesSchema>
