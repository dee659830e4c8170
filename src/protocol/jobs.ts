import { z } from 'zod'

export const jobKinds = ['upload', 'export', 'import', 'query'] as const
export type JobKind = (typeof jobKinds)[number]

export const jobStates = [
  'waiting',
  'running',
  'paused',
  'interrupted',
  'committing',
  'done',
  'stopped',
  'failed',
] as const
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
  rate: 104_857_600,
  rateLimit: null,
  startedAt: '2026-11-20T09:31:07.000Z',
  endedAt: null,
  stoppedBy: null,
  error: null,
}

export const jobSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(jobKinds),
    account: z.string().meta({ example: 'user:ann' }),
    file: z.string().nullable(),
    table: z.string().nullable(),
    state: z.enum(jobStates),
    bytes: z.int().meta({ description: 'bytes that the server has accepted (upload, import) or handed on (export)' }),
    totalBytes: z.int().nullable(),
    percent: z.number().nullable(),
    rows: z.int().nullable().meta({ description: 'known at the end of an import or a query' }),
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
    cleanedUp: z.boolean(),
    tookMs: z.number(),
  })
  .meta({
    id: 'Receipt',
    description: 'The answer to a stop: the transfer is dead, and nothing of it is left.',
    example: exampleReceipt,
  })
export type Receipt = z.infer<typeof receiptSchema>

/** The answer to `/upload/stop` and its kin: the newest job's receipt, with all of them in `receipts`. */
export const receiptsSchema = receiptSchema
  .extend({ receipts: z.array(receiptSchema) })
  .meta({ id: 'Receipts', example: { ...exampleReceipt, receipts: [exampleReceipt] } })
export type Receipts = z.infer<typeof receiptsSchema>

export const jobListSchema = z
  .object({ jobs: z.array(jobSchema), next: z.string().nullable() })
  .meta({ id: 'JobList', example: { jobs: [exampleJob], next: null } })
export type JobList = z.infer<typeof jobListSchema>

export const jobEventNames = ['snapshot', 'job', 'resync', 'heartbeat'] as const
export type JobEventName = (typeof jobEventNames)[number]

/** One event of `/jobs/events`, as it stands in `data:` of a server-sent event, or on a line of NDJSON. */
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

export const jobChangesSchema = z
  .object({
    rateLimit: z.int().positive().max(maxRateLimit).nullable().meta({ description: 'bytes per second, null for none' }),
  })
  .meta({ id: 'JobChanges', example: { rateLimit: 5_242_880 } })
