import { z } from 'zod'
import { jobHeader } from '../../protocol/routes.js'

const text = (description: string, example?: string) =>
  z
    .string()
    .optional()
    .meta({ description, ...(example === undefined ? {} : { example }) })

/** What every request that becomes a job may bear, for the API document. */
export const jobHeaders = z.object({
  [jobHeader]: z.uuid().optional().meta({ description: "becomes the job's id; one used before is 409" }),
  Prefer: text('waits for its turn for up to so many seconds', 'wait=60'),
})

export const uploadHeaders = jobHeaders.extend({
  'Repr-Digest': text('what the whole must have; another one is 422, and nothing is published', 'sha-256=:…:'),
  'If-Match': text('replaces only the version of that entity tag'),
  'If-None-Match': text('`*` never replaces a file'),
})

export const downloadHeaders = jobHeaders.extend({
  Range: text('a single range', 'bytes=1048576-'),
  'If-Range': text('an entity tag: the range counts only for that version'),
  'If-Match': text('sends only the version of that entity tag'),
  'If-None-Match': text('304 for the version of that entity tag'),
})
