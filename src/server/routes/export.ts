import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { exportManySchema, exportSchema } from '../../protocol/files.js'
import { receiptsSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Jobs } from '../jobs/jobs.js'
import { fileResponses, preparedAnswer, problemResponses, receiptsOf } from '../openapi/answers.js'
import { downloadHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import { readJson, validate } from './bodies/json-body.js'
import { parseName } from './headers/names.js'
import { sendFile } from './responses/send-file.js'
import { maxNamesBytes, type SelectionServices, sendSelection } from './responses/send-selection.js'

export interface ExportRouteServices extends SelectionServices {
  exports: Exports
  files: Pick<PublishedFiles, 'open'>
  jobs: Jobs
}

/** `POST /export` sends a file named in the body; `POST /export/stop` stops all running exports of the account. */
export function exportRoutes(services: ExportRouteServices) {
  const { exports, files, jobs } = services
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.export,
    summary: 'Export a file, or an archive of many',
    description:
      'One file, or several files and folders as one archive, which has no ranges. With `prepare`, the job of that archive.',
    request: {
      headers: downloadHeaders,
      body: { content: { 'application/json': { schema: z.union([exportSchema, exportManySchema]) } } },
    },
    responses: {
      ...fileResponses,
      201: preparedAnswer,
      ...problemResponses(400, 401, 404, 409, 412, 415, 416),
    },
  })
  app.post(routes.export, async (c) => {
    const identity = c.get('identity')
    const body = await readJson(c.env.incoming, z.looseObject({}), maxNamesBytes)
    if ('files' in body) {
      const wanted = validate(body, exportManySchema)
      return sendSelection(c, services, { wanted, space: identity.account, jobName: (folder) => folder })
    }
    const { filename } = validate(body, exportSchema)
    const file = await files.open(identity.account, parseName(filename))
    if (!file) throw new Problem('file-not-found', `There is no file "${filename}".`, { name: filename })
    return sendFile({ env: c.env, identity, exports, file })
  })

  app.openapi(
    createRoute({
      method: 'post',
      path: routes.exportStop,
      summary: 'Stop my running exports',
      responses: {
        200: { description: 'Stopped', content: { 'application/json': { schema: receiptsSchema } } },
        ...problemResponses(401, 404, 409),
      },
    }),
    async (c) => {
      return c.json(receiptsOf(await jobs.stopAll('export', c.get('identity').account)), 200)
    },
  )
  return app
}
