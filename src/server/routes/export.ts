import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { exportSchema } from '../../protocol/files.js'
import { receiptsSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { problemResponses, receiptsOf } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { readJson } from '../http/json-body.js'
import { parseName } from '../http/names.js'
import { downloadHeaders } from '../http/request-headers.js'
import { sendFile } from '../http/send-file.js'
import type { Jobs } from '../jobs/jobs.js'
import { accountName } from '../stores/accounts.js'
import type { FileStore } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'

/** `POST /export` sends a file named in the body; `POST /export/stop` stops every export of the account that runs. */
export function exportRoutes({ exports, files, jobs }: { exports: Exports; files: FileStore; jobs: Jobs }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.export,
    summary: 'Export a file',
    request: { headers: downloadHeaders, body: { content: { 'application/json': { schema: exportSchema } } } },
    responses: {
      200: { description: 'The file', content: { 'application/octet-stream': { schema: z.any() } } },
      ...problemResponses(400, 401, 404, 409, 412, 415, 416),
    },
  })
  app.post(routes.export, async (c) => {
    const identity = c.get('identity')
    const { filename } = await readJson(c.env.incoming, exportSchema)
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
      const account = accountName(c.get('identity').account)
      return c.json(receiptsOf(await jobs.stopAll('export', account, account)), 200)
    },
  )
  return app
}
