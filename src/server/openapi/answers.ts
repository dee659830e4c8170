import { z } from 'zod'
import type { FileRecord } from '../../protocol/files.js'
import { jobSchema, type Receipt, type Receipts } from '../../protocol/jobs.js'
import { Problem, problemBody, problems } from '../../protocol/problems.js'
import { jobHeader } from '../../protocol/routes.js'
import type { StoredFile } from '../stores/files.js'
import { answerHeaders } from './answer-headers.js'
import { archiveContent, binaryContent } from './binary-body.js'

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

/** The errors of a route for the API document: each status with its codes. */
export function problemResponses(...statuses: number[]) {
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = Object.entries(problems).filter(([, problem]) => problem.status === status)
      const description = codes.map(([code, { title }]) => `\`${code}\`: ${title}`).join('; ')
      return [status, { description, content: { 'application/problem+json': { schema: problemSchema } } }]
    }),
  )
}

const fileHeaders = answerHeaders('Accept-Ranges', 'Content-Disposition', 'ETag', 'Last-Modified', 'Repr-Digest')

/** Of a list that may be an archive instead. */
export const archiveHeaders = answerHeaders('Accept-Ranges', 'Content-Disposition', jobHeader)

const notModified = { description: 'Not modified', headers: answerHeaders('ETag', 'Last-Modified') }

/** The responses to a GET for a file, for the API document. */
export const fileResponses = {
  200: {
    description: 'The file, or the archive of a folder',
    headers: { ...fileHeaders, ...answerHeaders(jobHeader) },
    content: { ...binaryContent, ...archiveContent },
  },
  206: {
    description: 'The range',
    headers: { ...fileHeaders, ...answerHeaders(jobHeader, 'Content-Range') },
    content: binaryContent,
  },
  304: notModified,
}

/** The response to a request for an archive. */
export const archiveAnswer = { description: 'The archive', headers: archiveHeaders, content: archiveContent }

/** The response to a request that prepares an archive. */
export const preparedAnswer = {
  description: 'The job of the archive, which has its slot',
  headers: answerHeaders(jobHeader, 'Location'),
  content: { 'application/json': { schema: jobSchema } },
}

/** The responses to a HEAD for a file, for the API document. */
export const headResponses = {
  200: { description: 'The headers of the whole file', headers: fileHeaders },
  304: notModified,
}

/** A file's record for clients. */
export function fileRecord({ name, size, sha256, type, uploadedAt }: StoredFile): FileRecord {
  return { name, size, sha256, type, uploadedAt }
}

/** The response to a stop of several jobs: the newest one's receipt, with all of them in `receipts`. */
export function receiptsOf(receipts: Receipt[]): Receipts {
  const [newest] = receipts
  if (!newest) throw new Error('There is no receipt to answer with.')
  return { ...newest, receipts }
}
