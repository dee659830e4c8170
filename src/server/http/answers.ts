import { z } from 'zod'
import type { FileRecord } from '../../protocol/files.js'
import type { Receipt, Receipts } from '../../protocol/jobs.js'
import { Problem, problemBody, problems } from '../../protocol/problems.js'
import type { StoredFile } from '../stores/files.js'

const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(problems) as [string, ...string[]]),
    message: z.string(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457',
    example: problemBody(new Problem('file-not-found', 'There is no file "sample.csv".', { name: 'sample.csv' })),
  })

/** The refusals of a route, for the API document: each status with the codes that it can bear. */
export function problemResponses(...statuses: number[]) {
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = Object.entries(problems).filter(([, problem]) => problem.status === status)
      const description = codes.map(([code, { title }]) => `\`${code}\`: ${title}`).join('; ')
      return [status, { description, content: { 'application/problem+json': { schema: problemSchema } } }]
    }),
  )
}

/** A file's record as clients see it. */
export function fileRecord({ name, size, sha256, type, uploadedAt }: StoredFile): FileRecord {
  return { name, size, sha256, type, uploadedAt }
}

/** The answer to a stop of several: the newest one's receipt, with all of them in `receipts`. */
export function receiptsOf(receipts: Receipt[]): Receipts {
  const [newest] = receipts
  if (!newest) throw new Error('There is no receipt to answer with.')
  return { ...newest, receipts }
}
