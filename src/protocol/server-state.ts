import { z } from 'zod'

const exampleReport = {
  node: 'files-1',
  startedAt: '2026-11-20T09:30:00.000Z',
  endedAt: '2026-11-20T09:30:01.000Z',
  isComplete: true,
  findings: [{ severity: 'note', subject: 'uploads/user/ann/link', fault: 'it is a symbolic link' }],
  omitted: 0,
} as const

const findingSchema = z.object({
  severity: z.enum(['damage', 'note']).meta({ description: '`damage`: bytes are lost, or nothing can be stored' }),
  subject: z.string(),
  fault: z.string(),
})
export type CheckFinding = z.infer<typeof findingSchema>

export const checkReportSchema = z
  .object({
    node: z.string().meta({ description: 'the name of the server that looked' }),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime(),
    isComplete: z.boolean().meta({ description: 'false if the time was over before it had looked at everything' }),
    findings: z.array(findingSchema),
    omitted: z.int().meta({ description: 'how many more findings there are than `findings` has' }),
  })
  .meta({ id: 'CheckReport', example: exampleReport })
export type CheckReport = z.infer<typeof checkReportSchema>

const limitSchema = z.object({
  option: z.string().meta({ description: 'its flag of `filejobs serve`' }),
  value: z.union([z.number(), z.string(), z.boolean()]).nullable().meta({ description: 'null: no limit' }),
  unit: z.enum(['bytes', 'bytes/s', 'ms']).nullable(),
})
export type LimitRecord = z.infer<typeof limitSchema>

const nodeSchema = z.object({
  name: z.string(),
  number: z.int().nullable().meta({ description: 'of its registration; null for a server with a data folder' }),
  address: z.string().nullable().meta({ description: 'where the other servers reach it' }),
  version: z.string().nullable(),
  startedAt: z.iso.datetime(),
  isAlive: z.boolean().meta({ description: 'false if it has not renewed its lease: others take its jobs over' }),
  isSelf: z.boolean().meta({ description: 'whether it sends this response' }),
})
export type NodeRecord = z.infer<typeof nodeSchema>

const exampleNode: NodeRecord = {
  name: 'files-1',
  number: 3,
  address: 'http://10.0.0.3:8080',
  version: '0.1.0',
  startedAt: '2026-11-20T08:00:00.000Z',
  isAlive: true,
  isSelf: true,
}

/** What an admin sees of the server. */
export const serverStateSchema = z
  .object({
    node: z.string().meta({ description: 'the name of the machine' }),
    version: z.string(),
    runtime: z.string().meta({ description: 'of Node.js' }),
    startedAt: z.iso.datetime(),
    uptimeSeconds: z.number(),
    storage: z.enum(['folder', 'database']).meta({ description: '`database`: a database and a bucket' }),
    fault: z.string().nullable().meta({ description: 'why no new work can be stored; null if it can' }),
    disk: z
      .object({ freeBytes: z.int(), totalBytes: z.int() })
      .nullable()
      .meta({ description: 'of the data folder; with a bucket of the scratch folder. null while it does not answer' }),
    engine: z
      .object({ name: z.string(), version: z.string().nullable() })
      .meta({ description: 'of tables; its version is null if it is not installed' }),
    limits: z.array(limitSchema),
    check: z.object({
      isRunning: z.boolean(),
      last: checkReportSchema.nullable().meta({ description: 'by this server since its start' }),
    }),
    nodes: z.array(nodeSchema).nullable().meta({ description: 'all servers; null while the database does not answer' }),
  })
  .meta({
    id: 'ServerState',
    example: {
      node: 'files-1',
      version: '0.1.0',
      runtime: 'v20.20.0',
      startedAt: '2026-11-20T08:00:00.000Z',
      uptimeSeconds: 5400,
      storage: 'database',
      fault: null,
      disk: { freeBytes: 53_687_091_200, totalBytes: 107_374_182_400 },
      engine: { name: 'DuckDB', version: '1.4.2' },
      limits: [{ option: '--max-file-size', value: null, unit: 'bytes' }],
      check: { isRunning: false, last: exampleReport },
      nodes: [exampleNode],
    },
  })
export type ServerState = z.infer<typeof serverStateSchema>

const exampleLine = {
  id: '6d1f2b3c4a5e-18',
  at: '2026-11-20T09:31:07.000Z',
  level: 'info',
  message: 'GET /files 200',
  details: { ms: 3, account: 'user:ann' },
} as const

export const logLineSchema = z
  .object({
    id: z.string().meta({ description: 'to be sent as Last-Event-ID by one who comes back' }),
    at: z.iso.datetime(),
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'LogLine', example: exampleLine })
export type LogLine = z.infer<typeof logLineSchema>

export const recentLogSchema = z
  .object({
    node: z.string().meta({ description: 'the name of the server whose log it is' }),
    lines: z.array(logLineSchema),
  })
  .meta({ id: 'RecentLog', example: { node: 'files-1', lines: [exampleLine] } })
export type RecentLogRecord = z.infer<typeof recentLogSchema>
