import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { jobFilesSchema } from '../../protocol/folder-jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { Jobs } from '../jobs/jobs.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import type { JobFiles } from '../stores/job-files.js'
import { validate } from './bodies/json-body.js'
import { findVisibleJob } from './visible-job.js'

/** `GET /jobs/ID/files`: the files of a job of many files. */
export function jobFileRoutes({ jobs, jobFiles }: { jobs: Jobs; jobFiles: Pick<JobFiles, 'list'> }) {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(listRoute)
  app.get(`${routes.jobs}/:id/files`, async (c) => {
    const job = await findVisibleJob(c, jobs, c.req.param('id'))
    if (!job.files) throw new Problem('not-found', 'The job has no list of files: it is one of one file.', { job })
    const { cursor, limit } = validate(c.req.query(), listQuery)
    const { files, next, isComplete } = await jobFiles.list(job.id, { after: cursor, limit })
    const complete = isComplete || job.files.done + job.files.failed === 0
    return c.json({ files, next: next === null ? null : String(next), complete }, 200, { [jobHeader]: job.id })
  })
  return app
}

const listQuery = z.object({
  cursor: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(100)
    .transform((limit) => Math.min(limit, 1000)),
})

const listRoute = createRoute({
  method: 'get',
  path: `${routes.jobs}/{id}/files`,
  summary: 'List the files of a job of many files, as they ended',
  request: {
    params: z.object({ id: z.string().meta({ description: "the job's id" }) }),
    query: z.object({
      limit: z.int().min(1).max(1000).default(100).meta({ description: 'how many files a page has at most' }),
      cursor: z.int().min(0).optional().meta({ description: '`next` of the page before' }),
    }),
  },
  responses: {
    200: {
      description: 'A page of files',
      headers: answerHeaders(jobHeader),
      content: { 'application/json': { schema: jobFilesSchema } },
    },
    ...problemResponses(400, 401, 404),
  },
})
