import { z } from 'zod'
import { fileStatuses, finishedSchema } from './folder-jobs.js'

/** A line of the answer to a tar: the outcome of a file. Another line may hold `job` and `published`, or `error`, at its end. */
export const tarLineSchema = z
  .object({
    name: z.string(),
    size: z.int().optional(),
    sha256: z.string().nullable().optional(),
    status: z.enum(fileStatuses),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({
    id: 'TarLine',
    example: {
      name: 'photos/1.jpg',
      size: 734_003,
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      status: 'new',
    },
  })
export type TarLine = z.infer<typeof tarLineSchema>

export const tarStoredSchema = finishedSchema.meta({ id: 'TarStored' })

/** The media type of an answer with a line for each file. */
export const linesType = 'application/x-ndjson'
