import { z } from 'zod'
import type { FileList } from '../../../protocol/files.js'
import { fileRecord } from '../../openapi/answers.js'
import { archiveQuery } from '../../openapi/request-headers.js'
import type { PublishedFiles, Space } from '../../stores/files.js'
import { validate } from '../bodies/json-body.js'

/** The query parameters of a listing of files, for the API document. */
export const filePageQuery = archiveQuery.extend({
  prefix: z.string().optional().meta({ description: 'names that begin so' }),
  search: z.string().optional().meta({ description: 'names that contain it, regardless of case' }),
  limit: z.int().min(1).max(1000).default(100).meta({ description: 'how many files a page has at most' }),
  cursor: z.string().optional().meta({ description: '`next` of the page before' }),
})

/** One page of a space's files, sorted by name. `query` is the query string. Throws `invalid-request`. */
export async function listPage(files: Pick<PublishedFiles, 'list'>, space: Space, query: unknown): Promise<FileList> {
  const { prefix, search, limit, cursor } = validate(query, pageSchema)
  const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8')
  const found = await files.list(space, { prefix, search, after, limit: limit + 1 })
  const page = found.slice(0, limit)
  const next = found.length > limit ? Buffer.from(page.at(-1)!.name).toString('base64url') : null
  return { files: page.map(fileRecord), next }
}

const pageSchema = z.object({
  prefix: z.string().default(''),
  search: z.string().default(''),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(100)
    .transform((limit) => Math.min(limit, 1000)),
  cursor: z.string().optional(),
})
