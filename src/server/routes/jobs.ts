import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { jobChangesSchema, jobDetailsSchema, jobListSchema, jobSchema, receiptSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { requireRole } from '../auth/guard.js'
import type { Jobs } from '../jobs/jobs.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { type AccountStore, accountName, parseAccountName } from '../stores/accounts.js'
import { readJson, validate } from './bodies/json-body.js'
import { filterOf, jobListParameters, jobListQuery } from './headers/job-list-query.js'
import { findVisibleJob } from './visible-job.js'

/** `/jobs`: running and past jobs; each running job can be stopped, paused, resumed and limited. */
export function jobRoutes({ jobs, accounts }: { jobs: Jobs; accounts: Pick<AccountStore, 'find'> }) {
  const app = new OpenAPIHono<AppEnv>()

  const idOf = async (name: string): Promise<number> => {
    const parsed = parseAccountName(name)
    const account = parsed && (await accounts.find(parsed.role, parsed.username))
    if (account) return account.id
    throw new Problem('account-not-found', `There is no account "${name}"; accounts are written ROLE:USERNAME.`)
  }

  app.openAPIRegistry.registerPath(listRoute)
  app.get(routes.jobs, async (c) => {
    const identity = c.get('identity')
    const { account, ...filter } = validate(c.req.query(), jobListQuery)
    if (account !== 'mine') requireRole(identity, c.get('everyAccount'))
    const accountId = account === 'all' ? null : account === 'mine' ? identity.account.id : await idOf(account)
    const { jobs: page, next } = await jobs.list({ accountId, ...filterOf(filter) })
    return c.json({ jobs: page, next: next === null ? null : String(next) }, 200)
  })

  const visible = (c: Context<AppEnv>, id: string) => findVisibleJob(c, jobs, id)

  app.openapi(oneRoute, async (c) => {
    const job = await findVisibleJob(c, jobs, c.req.valid('param').id, true)
    const hasMore = job.state === 'stopped' || job.kind === 'query'
    const entry = hasMore ? await jobs.findEnded(job.id) : undefined
    const details = { ...job, receipt: entry?.receipt ?? null, query: entry?.query ?? null }
    return c.json(details, 200, { [jobHeader]: job.id })
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
    query: jobListParameters,
  },
  responses: {
    200: { description: 'A page of jobs', content: { 'application/json': { schema: jobListSchema } } },
    ...problemResponses(400, 401, 403, 404),
  },
})

const oneRoute = createRoute({
  method: 'get',
  path: `${routes.jobs}/{id}`,
  summary: 'One job',
  description: 'With the receipt of a stopped job, and the SQL of a query.',
  request: { params },
  responses: {
    200: { ...jobAnswer, content: { 'application/json': { schema: jobDetailsSchema } } },
    ...problemResponses(401, 404),
  },
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
