import { z } from 'zod'
import { archiveFormats, paxDigest } from '../../protocol/archives.js'
import { csrfHeader, jobHeader, partOfHeader, rateLimitHeader } from '../../protocol/routes.js'

const text = (description: string, example?: string) =>
  z
    .string()
    .optional()
    .meta({ description, ...(example === undefined ? {} : { example }) })

const integer = (least: number, description: string) => z.int().min(least).optional().meta({ description })

const reprDigest = text(
  'what the whole must have (sha-256 or sha-512); another one is 422, and nothing is published',
  'sha-256=:…:',
)

const digestHeaders = {
  'Repr-Digest': reprDigest,
  'Content-Digest': text('what the content of this request must have (sha-256 or sha-512)', 'sha-256=:…:'),
}

/** The headers of requests that become a job, for the API document. */
export const jobHeaders = z.object({
  [jobHeader]: z.uuid().optional().meta({ description: "becomes the job's id; one used before is 409" }),
  Prefer: text('waits for up to so many seconds where another job is running', 'wait=60'),
})

/** The same for one of many files. */
export const folderJobHeaders = jobHeaders.extend({
  [rateLimitHeader]: integer(1, 'limits the job to so many bytes per second'),
})

const partOf = text('the id of the job of many files that the request belongs to: see `POST /jobs`')

/** Of an upload or an export, which may be a stream of a job of many files. */
export const transferHeaders = folderJobHeaders.extend({ [partOfHeader]: partOf })

const replaceHeaders = z.object({
  'If-Match': text('replaces only the version of that entity tag'),
  'If-None-Match': text('`*` never replaces a file, entity tags never replace those versions'),
  'If-Unmodified-Since': text('replaces no version that is newer than that date'),
})

/** The digest of the whole body; each part may have its own. */
export const formHeaders = transferHeaders.extend({
  'Content-Digest': digestHeaders['Content-Digest'],
  ...replaceHeaders.shape,
})

export const uploadHeaders = transferHeaders.extend({ ...digestHeaders, ...replaceHeaders.shape })

/** Of an upload by a link. */
export const linkUploadHeaders = folderJobHeaders.extend(digestHeaders)

/** The conditions of a HEAD or GET. */
export const conditionHeaders = z.object({
  'If-Match': text('sends only the version of that entity tag'),
  'If-None-Match': text('304 for the version of that entity tag'),
  'If-Modified-Since': text('304 where there is no newer version'),
  'If-Unmodified-Since': text('sends no version that is newer than that date'),
})

export const downloadHeaders = transferHeaders.extend({
  Range: text('a single range', 'bytes=1048576-'),
  'If-Range': text('an entity tag or a date: the range counts only for that version'),
  ...conditionHeaders.shape,
})

/** Of requests for a folder. */
export const archiveQuery = z.object({
  archive: z
    .enum(archiveFormats)
    .optional()
    .meta({ description: 'of a folder, a name with a slash at the end: sends everything in it as one archive' }),
  name: z
    .array(z.string())
    .optional()
    .meta({ description: 'with `archive`: only these files and folders (with a slash at the end) of the folder' }),
  digests: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: `\`1\`: a tar has the SHA-256 of each file, as the PAX record ${paxDigest}` }),
})

/** The query parameters of a download link. */
export const downloadQuery = z.object({
  ...archiveQuery.shape,
  preview: z
    .literal('')
    .optional()
    .meta({ description: 'a look at the file, or at a range of it, of 32 MiB at most: without a job' }),
  wait: integer(0, 'waits for up to so many seconds where another job is running, as `Prefer: wait`'),
})

/** The conditions of a removal or a move. */
export const changeHeaders = z.object({
  'If-Match': text('only the version of that entity tag'),
  'If-Unmodified-Since': text('no version that is newer than that date'),
})

export const pageHeaders = z.object({
  [csrfHeader]: z.literal('1').meta({ description: 'shows that a page of this server sends the request' }),
})

export const tusHeaders = z.object({
  'Tus-Resumable': z.literal('1.0.0').meta({ description: 'the version of tus' }),
  'X-HTTP-Method-Override': text('the method that counts, for clients that cannot send it'),
})

const chunkHeaders = z.object({
  'Upload-Length': integer(0, 'the length of the whole upload, in bytes; once, where the creation deferred it'),
  'Upload-Checksum': text(
    'ALGORITHM BASE64 of the bytes of this request: sha1, sha256 or sha512; also as a trailer',
    'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=',
  ),
  ...digestHeaders,
  Prefer: text('how many seconds the bytes may wait for a slot of the account', 'wait=60'),
})

export const tusLinkCreationHeaders = tusHeaders.extend({
  ...folderJobHeaders.shape,
  ...chunkHeaders.shape,
  'Upload-Length': integer(0, 'the length of the whole upload, in bytes'),
  'Upload-Defer-Length': z
    .int()
    .min(1)
    .max(1)
    .optional()
    .meta({ description: 'in place of `Upload-Length`: a PATCH will tell it' }),
  'Upload-Metadata': text(
    '`KEY BASE64`, between commas: `filename`, `name`, `filetype`, `sha256` (hexadecimal)',
    'filename bm90ZXMuY3N2,filetype dGV4dC9jc3Y=',
  ),
  'Upload-Concat': text('is refused: this server does not put uploads together'),
})

export const tusCreationHeaders = tusLinkCreationHeaders.extend({
  [partOfHeader]: partOf,
  ...replaceHeaders.shape,
})

export const tusChunkHeaders = tusHeaders.extend({
  ...chunkHeaders.shape,
  [partOfHeader]: partOf,
  'Upload-Offset': z.int().min(0).meta({ description: 'where the bytes of this request begin' }),
})
