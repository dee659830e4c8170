import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, Next } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { linesType, tarLineSchema, tarStoredSchema } from '../../protocol/tars.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import { binarySchema } from '../openapi/binary-body.js'
import { formHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import { pathOf } from '../routing/target-check.js'
import type { TarUploads } from '../tars/tar-uploads.js'
import { validate } from './bodies/json-body.js'
import { uploadRequest } from './bodies/upload-request.js'
import { preconditionOf } from './headers/conditions.js'
import { nameFromTarget } from './headers/names.js'
import { TarAnswer } from './responses/tar-answer.js'

/** `PUT` or `POST /files/FOLDER/?extract=tar` stores the files of a tar below the folder. */
export function tarRoutes({ tars }: { tars: TarUploads }) {
  const app = new OpenAPIHono<AppEnv>()
  const ofFolder = {
    ...tarRoute.request,
    params: z.object({ folder: z.string().meta({ description: 'percent-encoded; it may hold slashes' }) }),
  }
  app.openAPIRegistry.registerPath({
    ...tarRoute,
    request: ofFolder,
    method: 'post',
    path: `${routes.files}/{folder}/`,
    summary: 'Store the files of a tar below a folder, as one job (PUT does the same)',
  })
  for (const method of ['put', 'post'] as const) {
    const summary = 'Store the files of a tar at the top of the space, as one job'
    app.openAPIRegistry.registerPath({ ...tarRoute, method, path: routes.files, summary })
  }

  const receive = async (c: Context<AppEnv>, next: Next) => {
    const format = c.req.query('extract')
    if (format === undefined) return next()
    if (format !== 'tar') throw onlyTar()
    const { incoming, outgoing } = c.env
    const prefix = prefixOf(incoming.url ?? '')
    const { publish, replace } = validate(c.req.query(), querySchema)
    const { request, done } = uploadRequest(c.env, c.get('identity'))
    if (request.partOf && (publish || replace)) throw optionsOfJob()
    if (replace && publish !== 'together') throw onlyTogether()
    const answer = new TarAnswer(incoming, outgoing)
    try {
      const { job, published } = await tars.receive({
        ...request,
        partOf: request.partOf ?? null,
        prefix,
        body: incoming,
        precondition: preconditionOf(incoming),
        isTogether: publish === 'together',
        replaces: replace,
        begin(job) {
          answer.begin(job)
          request.begin(job)
        },
        onStored: (files) => answer.report(files),
      })
      answer.end(job, published)
    } catch (error) {
      if (!answer.fail(error)) throw error
    } finally {
      done()
    }
    return RESPONSE_ALREADY_SENT
  }
  for (const path of [routes.files, `${routes.files}/*`]) app.put(path, receive).post(path, receive)
  return app
}

const querySchema = z.object({
  publish: z.enum(['each', 'together']).optional(),
  replace: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
})

const tarQuery = z.object({
  extract: z.literal('tar').meta({ description: 'the format of the body' }),
  publish: z.enum(['each', 'together']).optional().meta({ description: 'of a job of its own; default each' }),
  replace: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'with publish=together: files below the folder that are not in the tar are removed' }),
})

const tarRoute = {
  request: {
    query: tarQuery,
    headers: formHeaders,
    body: { content: { 'application/x-tar': { schema: binarySchema } } },
  },
  responses: {
    200: {
      description: 'Stored; with `Accept: application/x-ndjson` a line for each file while the tar arrives',
      headers: answerHeaders(jobHeader),
      content: { 'application/json': { schema: tarStoredSchema }, [linesType]: { schema: tarLineSchema } },
    },
    ...problemResponses(400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 507),
  },
} as const

/** The folder in a raw request target, with a slash at its end; empty for the whole space. */
function prefixOf(target: string): string {
  const path = pathOf(target)
  if (!path.endsWith('/'))
    throw new Problem('invalid-request', 'The name of a folder ends with "/".', { field: 'name' })
  return path === `${routes.files}/` ? '' : `${nameFromTarget(path.slice(0, -1), `${routes.files}/`)}/`
}

function onlyTar(): Problem {
  const message = 'extract must be "tar": send the tar uncompressed, for example by "gunzip -c x.tgz | curl -T - …".'
  return new Problem('invalid-request', message, { field: 'extract' })
}

function optionsOfJob(): Problem {
  return new Problem('invalid-request', 'publish and replace belong to the job that the tar is part of.', {
    field: 'publish',
  })
}

function onlyTogether(): Problem {
  const message = 'replace removes what is not in the tar, in one step with the publish: use publish=together with it.'
  return new Problem('invalid-request', message, { field: 'replace' })
}
