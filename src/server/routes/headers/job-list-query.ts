import { z } from '@hono/zod-openapi'
import { jobKinds, jobStates } from '../../../protocol/job-kinds.js'
import { isProblemCode } from '../../../protocol/problems.js'
import type { JobFilter } from '../../stores/job-filter.js'

const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-11-20T09:30:00Z' })

/** The query of `GET /jobs`. */
export const jobListQuery = z.object({
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(jobStates)))
    .optional(),
  kind: z.enum(jobKinds).optional(),
  account: z
    .string()
    .refine((text) => /^(mine|all)$|^[a-z]+:./.test(text), 'must be mine, all or ROLE:USERNAME')
    .default('mine'),
  from: time.optional(),
  to: time.optional(),
  error: z.string().refine(isProblemCode, 'is no code of an error').optional(),
  cursor: z.coerce.number().int().positive().optional(),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(50)
    .transform((limit) => Math.min(limit, 1000)),
})

/** The same, as the API document has it. */
export const jobListParameters = z.object({
  state: z.string().optional().meta({ description: 'one or several, separated by commas', example: 'running,paused' }),
  kind: z.enum(jobKinds).optional().meta({ description: 'one kind of job' }),
  account: z
    .string()
    .default('mine')
    .meta({ description: '`mine`; for admins also `all`, or ROLE:USERNAME for the jobs of an account and its links' }),
  from: z.iso
    .datetime()
    .optional()
    .meta({ description: 'jobs that ended then or later, or have not ended', example: '2026-11-20T00:00:00Z' }),
  to: z.iso.datetime().optional().meta({ description: 'jobs that ended before' }),
  error: z.string().optional().meta({ description: 'jobs that failed with this code', example: 'disk-full' }),
  limit: z.int().min(1).max(1000).default(50).meta({ description: 'how many jobs a page has at most' }),
  cursor: z.int().min(1).optional().meta({ description: '`next` of the page before' }),
})

export function filterOf({
  state,
  kind,
  from,
  to,
  error,
  cursor,
  limit,
}: Omit<z.infer<typeof jobListQuery>, 'account'>): Omit<JobFilter, 'accountId'> {
  return {
    ...(kind ? { kind } : {}),
    ...(state ? { states: state } : {}),
    ...(from ? { fromMs: Date.parse(from) } : {}),
    ...(to ? { toMs: Date.parse(to) } : {}),
    ...(error ? { failure: error } : {}),
    ...(cursor ? { before: cursor } : {}),
    limit,
  }
}
