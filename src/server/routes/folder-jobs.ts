import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { failedSchema, finishedSchema, folderJobSchema, unchangedSchema } from '../../protocol/folder-jobs.js'
import { jobSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, jobPath, parsePublished, rateLimitHeader, routes } from '../../protocol/routes.js'
import { requireRole } from '../auth/guard.js'
import type { FolderJobs } from '../folders/folder-jobs.js'
import { hangUpSignal, leftSignal } from '../http/connection.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import { folderJobHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import { readJson } from './bodies/json-body.js'
import { parseName } from './headers/names.js'
import { jobIdOf, rateLimitOf } from './headers/preferences.js'
import { slotWaitOf } from './headers/slot-wait.js'

/** Jobs of many files: `POST /jobs` opens one, requests with its id are its streams, `POST /jobs/ID/finish` ends it. */
export function folderJobRoutes({ folders }: { folders: FolderJobs }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(openRoute)
  app.post(routes.jobs, async (c) => {
    const { incoming, outgoing } = c.env
    const identity = c.get('identity')
    const { kind, name, files, totalBytes, publish, replace } = await readJson(incoming, folderJobSchema)
    if (kind === 'upload') requireRole(identity, c.get('uploaders'))
    const job = await folders.open({
      identity,
      kind,
      name: parsePrefix(name, kind),
      files,
      totalBytes,
      ...publishingOf(kind, publish, replace),
      jobId: jobIdOf(c.req.header(jobHeader)),
      rateLimit: rateLimitOf(c.req.header(rateLimitHeader)),
      waitMs: slotWaitOf(incoming),
      left: leftSignal(outgoing),
      hungUp: hangUpSignal(outgoing),
    })
    return c.json(job.record(), 201, { Location: jobPath(job.id), [jobHeader]: job.id })
  })

  app.openapi(finishRoute, async (c) => {
    const finished = await folders.finish(idOf(c.req.valid('param')), c.get('identity').account)
    return c.json(finished, 200, { [jobHeader]: finished.job.id })
  })

  app.openAPIRegistry.registerPath(unchangedRoute)
  app.post(`${routes.jobs}/:id/unchanged`, async (c) => {
    const id = idOf(c.req.param())
    const { account } = c.get('identity')
    const unchanged = await readJson(c.env.incoming, unchangedSchema)
    const job =
      'count' in unchanged
        ? await folders.countUnchanged(id, account, unchanged)
        : await folders.count(
            id,
            account,
            unchanged.files.map((file) => ({ ...file, status: 'unchanged' as const })),
          )
    return c.json(job, 200, { [jobHeader]: id })
  })

  app.openAPIRegistry.registerPath(failedRoute)
  app.post(`${routes.jobs}/:id/failed`, async (c) => {
    const id = idOf(c.req.param())
    const { files } = await readJson(c.env.incoming, failedSchema)
    const failed = files.map(({ name, ...error }) => ({ name, status: 'failed' as const, error }))
    return c.json(await folders.count(id, c.get('identity').account, failed), 200, { [jobHeader]: id })
  })
  return app
}

/** Names are never altered: the slash at the end is part of the prefix. Throws `invalid-request`. */
function parsePrefix(prefix: string, kind: 'upload' | 'export'): string {
  const published = kind === 'export' ? parsePublished(prefix) : undefined
  const own = published ? published.name : prefix
  if (own === '') return prefix
  if (!own.endsWith('/')) {
    throw new Problem('invalid-request', `The name "${prefix}" is a prefix: end it with "/".`, { field: 'name' })
  }
  parseName(own.slice(0, -1))
  return prefix
}

function publishingOf(kind: 'upload' | 'export', publish: 'each' | 'together', replace: boolean) {
  if (kind === 'export' && (publish === 'together' || replace)) {
    throw new Problem('invalid-request', 'An export publishes nothing.', { field: 'publish' })
  }
  if (replace && publish !== 'together') {
    throw new Problem('invalid-request', 'Only a job that publishes together can replace a folder.', {
      field: 'replace',
    })
  }
  return { isTogether: publish === 'together', replaces: replace }
}

function idOf({ id }: { id: string }): string {
  return id.toLowerCase()
}

const params = z.object({ id: z.string().meta({ description: "the job's id" }) })
const jobAnswer = {
  description: 'The job',
  headers: answerHeaders(jobHeader),
  content: { 'application/json': { schema: jobSchema } },
}

const openRoute = createRoute({
  method: 'post',
  path: routes.jobs,
  summary: 'Open a job of many files',
  description:
    'Uploads and exports with `Filejobs-Part-Of: ID` are its streams, up to 64 at a time within the one slot of the account. ' +
    'It is paused, limited and stopped as one.',
  request: { headers: folderJobHeaders, body: { content: { 'application/json': { schema: folderJobSchema } } } },
  responses: {
    201: { ...jobAnswer, description: 'It has its slot', headers: answerHeaders(jobHeader, 'Location') },
    ...problemResponses(400, 401, 403, 409, 415, 501, 503),
  },
})

const finishRoute = createRoute({
  method: 'post',
  path: `${routes.jobs}/{id}/finish`,
  summary: 'Finish a job of many files',
  description: 'Waits for its streams. Repeating it gives the same answer.',
  request: { params },
  responses: {
    200: {
      description: 'It is done',
      headers: answerHeaders(jobHeader),
      content: { 'application/json': { schema: finishedSchema } },
    },
    ...problemResponses(401, 404, 409),
  },
})

const unchangedRoute = createRoute({
  method: 'post',
  path: `${routes.jobs}/{id}/unchanged`,
  summary: 'Count files of a job that need no transfer',
  request: { params, body: { content: { 'application/json': { schema: unchangedSchema } } } },
  responses: { 200: jobAnswer, ...problemResponses(400, 401, 404, 409, 415) },
})

const failedRoute = createRoute({
  method: 'post',
  path: `${routes.jobs}/{id}/failed`,
  summary: 'Count files of a job that could not be sent or stored',
  request: { params, body: { content: { 'application/json': { schema: failedSchema } } } },
  responses: { 200: jobAnswer, ...problemResponses(400, 401, 404, 409, 415) },
})
