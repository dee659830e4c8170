import { z } from 'zod'
import { exampleJob, jobSchema } from './jobs.js'

const countSchema = z.int().nonnegative()

export const folderJobSchema = z
  .object({
    kind: z.enum(['upload', 'export']),
    name: z
      .string()
      .meta({ description: 'the prefix of the names of all files, with a slash at its end; empty for none' }),
    files: countSchema.nullable().default(null).meta({ description: 'how many there are, if that is known' }),
    totalBytes: countSchema.nullable().default(null),
    publish: z.enum(['each', 'together']).default('each').meta({
      description:
        '`each`: every file when it has arrived; `together`: nothing is visible until the end, then everything',
    }),
    replace: z
      .boolean()
      .default(false)
      .meta({ description: 'with `together`: files below the prefix that are not part of the job are removed' }),
  })
  .meta({
    id: 'FolderJob',
    example: { kind: 'upload', name: 'photos/', files: 2000, totalBytes: 20_480_000, publish: 'each', replace: false },
  })
export type FolderJobRequest = z.infer<typeof folderJobSchema>

/** What a job of many files has changed. */
const publicationSchema = z.object({
  files: z.int().meta({ description: 'created or replaced; of an export, sent' }),
  bytes: z.int(),
  created: z.int(),
  replaced: z.int(),
  unchanged: z.int(),
  removed: z.int(),
  failed: z.int(),
})
export type Publication = z.infer<typeof publicationSchema>

export const finishedSchema = z.object({ job: jobSchema, published: publicationSchema }).meta({
  id: 'FinishedFolderJob',
  example: {
    job: {
      ...exampleJob,
      file: 'photos/',
      state: 'done',
      bytes: 20_480_000,
      totalBytes: 20_480_000,
      percent: 100,
      files: { total: 2000, done: 2000, unchanged: 60, failed: 0, failures: [] },
      rate: null,
      endedAt: '2026-11-20T09:31:12.000Z',
    },
    published: {
      files: 1940,
      bytes: 19_865_600,
      created: 1900,
      replaced: 40,
      unchanged: 60,
      removed: 0,
      failed: 0,
    },
  },
})

/** Files that need no transfer: one by one, so that they are listed, or a number of them. */
export const unchangedSchema = z
  .union([
    z.strictObject({ files: z.array(z.object({ name: z.string(), size: countSchema })) }),
    z.strictObject({ count: countSchema, bytes: countSchema }),
  ])
  .meta({ id: 'UnchangedFiles', example: { count: 60, bytes: 614_400 } })

export const failedSchema = z
  .object({ files: z.array(z.object({ name: z.string(), code: z.string(), message: z.string() })) })
  .meta({
    id: 'FailedFiles',
    example: {
      files: [
        { name: 'photos/1.jpg', code: 'not-accessible', message: 'The file could not be read: permission denied.' },
      ],
    },
  })

/** How a file of a job ended. */
export const fileStatuses = ['new', 'replaced', 'unchanged', 'removed', 'failed'] as const
export type FileStatus = (typeof fileStatuses)[number]

const listedFileSchema = z.object({
  name: z.string(),
  size: z.int().nullable().meta({ description: 'bytes; null for one that failed' }),
  status: z.enum(fileStatuses),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
})
export type ListedFile = z.infer<typeof listedFileSchema>

export const jobFilesSchema = z
  .object({
    files: z
      .array(listedFileSchema)
      .meta({ description: 'in the order in which they ended; of a name that occurs twice the later one counts' }),
    next: z.string().nullable(),
    complete: z.boolean().meta({ description: 'false if the list was shortened, or removed, to save space' }),
  })
  .meta({
    id: 'JobFiles',
    example: {
      files: [
        { name: 'photos/1.jpg', size: 10_240, status: 'new', error: null },
        {
          name: 'photos/2.jpg',
          size: null,
          status: 'failed',
          error: { code: 'digest-mismatch', message: 'What arrived has another digest: send it again.' },
        },
      ],
      next: null,
      complete: true,
    },
  })
export type JobFileList = z.infer<typeof jobFilesSchema>
