import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { exportManySchema, exportSchema } from '../../protocol/files.js'
import { receiptsSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { ArchiveExports } from '../archives/archive-exports.js'
import { commonFolder, selectNames } from '../archives/selection.js'
import type { Jobs } from '../jobs/jobs.js'
import { fileResponses, problemResponses, receiptsOf } from '../openapi/answers.js'
import { downloadHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import { readJson, validate } from './bodies/json-body.js'
import { parseChosen, parseName } from './headers/names.js'
import { sendArchive } from './responses/send-archive.js'
import { sendFile } from './responses/send-file.js'

/** `POST /export` sends a file named in the body; `POST /export/stop` stops all running exports of the account. */
export function exportRoutes({
  exports,
  archives,
  files,
  jobs,
}: {
  exports: Exports
  archives: ArchiveExports
  files: Pick<PublishedFiles, 'open'>
  jobs: Jobs
}) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.export,
    summary: 'Export a file, or an archive of many',
    description: 'One file, or several files and folders as one archive, which has no ranges.',
    request: {
      headers: downloadHeaders,
      body: { content: { 'application/json': { schema: z.union([exportSchema, exportManySchema]) } } },
    },
    responses: {
      ...fileResponses,
      ...problemResponses(400, 401, 404, 409, 412, 415, 416),
    },
  })
  app.post(routes.export, async (c) => {
    const identity = c.get('identity')
    const body = await readJson(c.env.incoming, z.looseObject({}), maxBodyBytes)
    if ('files' in body) {
      const { files: chosen, archive: format, digests } = validate(body, exportManySchema)
      const names = chosen.map(parseChosen)
      const selection = selectNames(identity.account, names)
      const wanted = { format, digests }
      return sendArchive({ env: c.env, identity, archives, selection, wanted, name: commonFolder(names) })
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

/** About ten thousand names. */
const maxBodyBytes = 1024 ** 2
