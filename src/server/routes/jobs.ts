import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { jobChangesSchema, jobKinds, jobListSchema, jobSchema, jobStates, receiptSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { Identity } from '../auth/identity.js'
import { isAllowed, requirePermission } from '../auth/permissions.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { readJson, validate } from '../http/json-body.js'
import type { Jobs } from '../jobs/jobs.js'
import { accountName } from '../stores/accounts.js'

/** `/jobs`: what runs and what ran; each running job can be stopped, paused, resumed and paced. */
export function jobRoutes({ jobs }: { jobs: Jobs }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openapi(listRoute, async (c) => {
    const identity = c.get('identity')
    const { account, state, kind, limit, cursor } = validate(c.req.query(), listQuery)
    if (account === 'all') requirePermission(identity, 'seeEveryJob')
    const { jobs: page, next } = await jobs.list({
      accountId: account === 'all' ? null : identity.account.id,
      ...(kind ? { kind } : {}),
      ...(state ? { states: state } : {}),
      ...(cursor ? { before: cursor } : {}),
      limit,
    })
    return c.json({ jobs: page, next: next === null ? null : String(next) }, 200)
  })

  /** The id, where the job is one that the asker may see. Someone else's does not exist. */
  const visible = async (identity: Identity, id: string) => {
    const found = await jobs.findRecord(id.toLowerCase())
    if (!found || !maySee(identity, found.accountId)) {
      throw new Problem('job-not-found', `There is no job "${id}".`)
    }
    return found.job
  }

  app.openapi(oneRoute, async (c) => {
    const job = await visible(c.get('identity'), c.req.valid('param').id)
    return c.json(job, 200, { [jobHeader]: job.id })
  })

  app.openapi(stopRoute, async (c) => {
    const identity = c.get('identity')
    const { id } = await visible(identity, c.req.valid('param').id)
    return c.json(await jobs.stop(id, accountName(identity.account)), 200, { [jobHeader]: id })
  })

  app.openapi(actionRoute('pause', 'Hold a transfer where it is'), async (c) => {
    const { id } = await visible(c.get('identity'), c.req.valid('param').id)
    return c.json(await jobs.pause(id), 200, { [jobHeader]: id })
  })

  app.openapi(actionRoute('resume', 'Let a paused transfer go on'), async (c) => {
    const { id } = await visible(c.get('identity'), c.req.valid('param').id)
    return c.json(await jobs.resume(id), 200, { [jobHeader]: id })
  })

  app.openAPIRegistry.registerPath(changeRoute)
  app.patch(`${routes.jobs}/:id`, async (c) => {
    const { id } = await visible(c.get('identity'), c.req.param('id'))
    const { rateLimit } = await readJson(c.env.incoming, jobChangesSchema)
    return c.json(await jobs.limitRate(id, rateLimit), 200, { [jobHeader]: id })
  })
  return app
}

function maySee(identity: Identity, accountId: number): boolean {
  return accountId === identity.account.id || isAllowed(identity, 'seeEveryJob')
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
const jobAnswer = { description: 'The job', content: { 'application/json': { schema: jobSchema } } }

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
      kind: z.string().optional(),
      account: z.string().optional().meta({ description: '`all` lists everybody’s: for admins' }),
      limit: z.string().optional(),
      cursor: z.string().optional(),
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
    200: { description: 'The receipt', content: { 'application/json': { schema: receiptSchema } } },
    ...problemResponses(401, 404, 409),
  },
})

const changeRoute = createRoute({
  method: 'patch',
  path: `${routes.jobs}/{id}`,
  summary: 'Limit the rate of a job',
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
