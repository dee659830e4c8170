import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { fileListSchema } from '../../../protocol/files.js'
import { folderLevelSchema } from '../../../protocol/folders.js'
import { archiveHeaders } from '../../openapi/answers.js'
import { archiveContent } from '../../openapi/binary-body.js'
import type { AppEnv } from '../../routing/app-env.js'
import type { PublishedFiles, Space } from '../../stores/files.js'
import type { Folders } from '../../stores/folders.js'
import { filePageQuery, listPage } from './file-pages.js'
import { folderLevelQuery, isLevelQuery, listLevel } from './folder-pages.js'
import { sendRecords } from './send-records.js'
import { wantedText } from './send-table.js'

export interface FileListServices {
  files: Pick<PublishedFiles, 'list' | 'listEmptyFolders'>
  folderStore: Pick<Folders, 'list' | 'records'>
}

/** Answers with files of a space: a page of all, one level of the folders, or all as NDJSON. Throws `invalid-request`. */
export async function sendListing(c: Context<AppEnv>, services: FileListServices, space: Space): Promise<Response> {
  const { files, folderStore } = services
  const query = c.req.query()
  if (isLevelQuery(query)) return c.json(await listLevel(folderStore, space, query), 200)
  if (wantedText(c.req.header('Accept')) !== 'ndjson') return c.json(await listPage(files, space, query), 200)
  return sendRecords(c.env, c.get('identity'), services, { space, query })
}

const emptyFoldersQuery = {
  folders: z.enum(['empty']).optional().meta({ description: 'with NDJSON: only empty folders' }),
}

/** For the API document. */
export const listingQuery = filePageQuery.extend(folderLevelQuery.shape).extend(emptyFoldersQuery)

/** For the API document. */
export const listingWords =
  'With `delimiter=/` one level of the folders, with totals. With `Accept: application/x-ndjson` all files with the ' +
  'prefix, a line for each; with `folders=empty` too, the names of the empty folders below a folder instead.'

/** The response 200, for the API document. */
export const listingResponse = {
  description: 'A page of files, or of a folder; with `archive`, all files',
  headers: archiveHeaders,
  content: {
    'application/json': { schema: z.union([fileListSchema, folderLevelSchema]) },
    ...archiveContent,
    'application/x-ndjson': { schema: z.string().meta({ description: 'a `File` in each line' }) },
  },
}
