import { z } from 'zod'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { fileRecord } from '../../openapi/answers.js'
import type { Space } from '../../stores/files.js'
import type { Folders } from '../../stores/folders.js'
import { validate } from '../bodies/json-body.js'

const flag = z.enum(['0', '1', 'false', 'true'])

/** The query parameters of one level, besides those of a listing of files, for the API document. */
export const folderLevelQuery = z.object({
  delimiter: z.enum(['/']).optional().meta({ description: 'lists one level: the files and folders of the prefix' }),
  sort: z
    .enum(['name', 'size', 'date'])
    .optional()
    .meta({ description: 'with `delimiter`; folders are sorted by name' }),
  order: z.enum(['asc', 'desc']).optional().meta({ description: 'with `delimiter`' }),
  natural: flag.optional().meta({ description: 'with `delimiter`: compares digits in names as numbers' }),
  ignoreCase: flag.optional().meta({ description: 'with `delimiter`: sorts upper and lower case alike' }),
})

/** Whether the query asks for one level. */
export function isLevelQuery(query: Record<string, string>): boolean {
  return 'delimiter' in query
}

/** One page of one level of a space. `query` is the query string. Throws `invalid-request`. */
export async function listLevel(
  folders: Pick<Folders, 'list'>,
  space: Space,
  query: unknown,
): Promise<FolderLevelList> {
  const { delimiter: _, ...level } = validate(query, levelSchema)
  const { files, ...rest } = await folders.list(space, level)
  return { files: files.map(fileRecord), ...rest }
}

const isSet = flag.default('0').transform((value) => value === '1' || value === 'true')

const levelSchema = z.object({
  delimiter: z.literal('/', 'use "/", the only delimiter of names'),
  prefix: z.string().default(''),
  search: z.string().default(''),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(100)
    .transform((limit) => Math.min(limit, 1000)),
  cursor: z
    .string()
    .optional()
    .default(undefined as never),
  sort: z.enum(['name', 'size', 'date']).default('name'),
  order: z.enum(['asc', 'desc']).default('asc'),
  natural: isSet,
  ignoreCase: isSet,
})
