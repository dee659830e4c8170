import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { jobKinds, jobStates } from '../../protocol/job-kinds.js'
import { jobChangesSchema, jobListSchema, jobSchema, receiptSchema } from '../../protocol/jobs.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { requireRole } from '../auth/guard.js'
import type { Jobs } from '../jobs/jobs.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { accountName } from '../stores/accounts.js'
import { readJson, validate } from './bodies/json-body.js'
import { findVisibleJob } from './visible-job.js'

/** `/jobs`: running and past jobs; each running job can be stopped, paused, resumed and limited. */
export function jobRoutes({ jobs }: { jobs: Jobs }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(listRoute)
  app.get(routes.jobs, async (c) => {
    const identity = c.get('identity')
    const { account, state, kind, limit, cursor } = validate(c.req.query(), listQuery)
    if (account === 'all') requireRole(identity, c.get('everyAccount'))
    const { jobs: page, next } = await jobs.list({
      accountId: account === 'all' ? null : identity.account.id,
      ...(kind ? { kind } : {}),
      ...(state ? { states: state } : {}),
      ...(cursor ? { before: cursor } : {}),
      limit,
    })
    return c.json({ jobs: page, next: next === null ? null : String(next) }, 200)
  })

  const visible = (c: Context<AppEnv>, id: string) => findVisibleJob(c, jobs, id)

  app.openapi(oneRoute, async (c) => {
    const job = await findVisibleJob(c, jobs, c.req.valid('param').id, true)
    return c.json(job, 200, { [jobHeader]: job.id })
  })

  app.openapi(stopRoute, async (c) => {
    const identity = c.get('identity')
    const { id } = await visible(c, c.req.valid('param').id)
    return c.json(await jobs.stop(id, accountName(identity.account)), 200, { [jobHeader]: id })
  })

  app.openapi(actionRoute('pause', 'Hold a transfer where it is'), async (c) => {
    const { id } = await visible(c, c.req.valid('param').id)
    return c.json(await jobs.pause(id), 200, { [jobHeader]: id })
  })

  app.openapi(actionRoute('resume', 'Let a paused transfer go on'), async (c) => {
    const { id } = await visible(c, c.req.valid('param').id)
    return c.json(await jobs.resume(id), 200, { [jobHeader]: id })
  })

  app.openAPIRegistry.registerPath(changeRoute)
  app.patch(`${routes.jobs}/:id`, async (c) => {
    const { id } = await visible(c, c.req.param('id'))
    const changes = await readJson(c.env.incoming, jobChangesSchema)
    return c.json(await jobs.change(id, changes), 200, { [jobHeader]: id })
  })
  return app
}

const listQuery = z.object({
  state: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(jobStates)))
    .optional(),
  kind: z.enum(jobKinds).optional(),
  account: z.enum(['mine', 'all']).default('mine'),
  cursor: z.coerce.number().int().positive().optional(),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(50)
    .transform((limit) => Math.min(limit, 1000)),
})

const params = z.object({ id: z.string().meta({ description: "the job's id" }) })
const jobAnswer = {
  description: 'The job',
  headers: answerHeaders(jobHeader),
  content: { 'application/json': { schema: jobSchema } },
}

const listRoute = createRoute({
  method: 'get',
  path: routes.jobs,
  summary: 'List my jobs, newest first',
  request: {
    query: z.object({
      state: z
        .string()
        .optional()
        .meta({ description: 'one or several, separated by commas', example: 'running,paused' }),
      kind: z.enum(jobKinds).optional().meta({ description: 'one kind of job' }),
      account: z
        .enum(['mine', 'all'])
        .default('mine')
        .meta({ description: '`all` lists the jobs of every account (admin)' }),
      limit: z.int().min(1).max(1000).default(50).meta({ description: 'how many jobs a page has at most' }),
      cursor: z.int().min(1).optional().meta({ description: '`next` of the page before' }),
    }),
  },
  responses: {
    200: { description: 'A page of jobs', content: { 'application/json': { schema: jobListSchema } } },
    ...problemResponses(400, 401, 403),
  },
})

const oneRoute = createRoute({
  method: 'get',
  path: `${routes.jobs}/{id}`,
  summary: 'One job',
  request: { params },
  responses: { 200: jobAnswer, ...problemResponses(401, 404) },
})

const stopRoute = createRoute({
  method: 'post',
  path: `${routes.jobs}/{id}/stop`,
  summary: 'Stop a job',
  description: 'Answered once the transfer is dead and nothing of it is left.',
  request: { params },
  responses: {
    200: {
      description: 'The receipt',
      headers: answerHeaders(jobHeader),
      content: { 'application/json': { schema: receiptSchema } },
    },
    ...problemResponses(401, 404, 409),
  },
})

const changeRoute = createRoute({
  method: 'patch',
  path: `${routes.jobs}/{id}`,
  summary: 'Limit the rate of a job, or correct the totals of a job of many files',
  request: { params, body: { content: { 'application/json': { schema: jobChangesSchema } } } },
  responses: { 200: jobAnswer, ...problemResponses(400, 401, 404, 409, 415) },
})

function actionRoute<Action extends 'pause' | 'resume'>(action: Action, summary: string) {
  return createRoute({
    method: 'post',
    path: `${routes.jobs}/{id}/${action}` as const,
    summary,
    request: { params },
    responses: { 200: jobAnswer, ...problemResponses(401, 404, 409) },
  })
}
