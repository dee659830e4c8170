import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { fileListSchema } from '../../protocol/files.js'
import { folderLevelSchema } from '../../protocol/folders.js'
import { routes } from '../../protocol/routes.js'
import { archiveHeaders, problemResponses } from '../openapi/answers.js'
import { archiveContent } from '../openapi/binary-body.js'
import type { AppEnv } from '../routing/app-env.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import { filePageQuery, listPage } from './responses/file-pages.js'
import { folderLevelQuery, isLevelQuery, listLevel } from './responses/folder-pages.js'
import { sendRecords } from './responses/send-records.js'
import { wantedText } from './responses/send-table.js'

export interface FileListServices {
  files: PublishedFiles
  folderStore: Folders
}

/** `GET /files`: a page of all files, one level of the folders, or all files as NDJSON. */
export function fileListRoutes({ files, folderStore }: FileListServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(listRoute)
  app.get(routes.files, async (c) => {
    const identity = c.get('identity')
    const { account } = identity
    const query = c.req.query()
    if (isLevelQuery(query)) return c.json(await listLevel(folderStore, account, query), 200)
    if (wantedText(c.req.header('Accept')) !== 'ndjson') return c.json(await listPage(files, account, query), 200)
    return sendRecords(c.env, identity, folderStore, query)
  })
  return app
}

const listRoute = createRoute({
  method: 'get',
  path: routes.files,
  summary: 'List my files, sorted by name',
  description:
    'With `delimiter=/` one level of the folders, with totals. With `Accept: application/x-ndjson` all files with the ' +
    'prefix, a line for each.',
  request: { query: filePageQuery.extend(folderLevelQuery.shape) },
  responses: {
    200: {
      description: 'A page of files, or of a folder; with `archive`, all files',
      headers: archiveHeaders,
      content: {
        'application/json': { schema: z.union([fileListSchema, folderLevelSchema]) },
        ...archiveContent,
        'application/x-ndjson': { schema: z.string().meta({ description: 'a `File` in each line' }) },
      },
    },
    ...problemResponses(400, 401, 404, 409),
  },
})
