import { z } from 'zod'
import { hasOneExpiry, linkTerms, oneExpiry } from './link-terms.js'

export const newFileRequestSchema = z
  .object({
    folder: z.string().meta({ description: 'where the files go, with a slash at its end; it need not exist yet' }),
    ...linkTerms,
    maxFiles: z.int().min(1).optional().meta({ description: 'files in all; any number by default' }),
    maxBytes: z.int().min(1).optional().meta({ description: 'bytes in all; any number by default' }),
    maxFileBytes: z.int().min(1).optional().meta({ description: 'bytes of one file; any number by default' }),
  })
  .refine(hasOneExpiry, oneExpiry)
  .meta({
    id: 'NewFileRequest',
    example: {
      folder: 'inbox/',
      expiresIn: 604_800,
      maxFiles: 20,
      maxBytes: 2_147_483_648,
      note: 'Your photos, please',
    },
  })
export type NewFileRequest = z.infer<typeof newFileRequestSchema>

const exampleRequest = {
  id: 'pQ1r8VxT4c0a',
  url: 'https://files.example.org/r/pQ1r8VxT4c0aVb1P3l5Zr0tYh8kN2eWqJx7aUd',
  folder: 'inbox/',
  state: 'open' as const,
  hasPassword: false,
  maxFiles: 20,
  maxBytes: 2_147_483_648,
  maxFileBytes: null,
  files: 3,
  bytes: 12_582_912,
  opened: 4,
  note: 'Your photos, please',
  createdAt: '2026-11-20T09:30:00.000Z',
  expiresAt: '2026-11-27T09:30:00.000Z',
}

export const fileRequestSchema = z
  .object({
    id: z.string().meta({ description: 'its uploads are jobs of the account `request:ID`' }),
    url: z.string().meta({ description: 'anyone with the link can upload without an account' }),
    folder: z.string(),
    state: z
      .enum(['open', 'expired', 'full', 'revoked'])
      .meta({ description: 'any but `open` takes no new upload; they are listed for 30 days after their end' }),
    hasPassword: z.boolean(),
    maxFiles: z.int().nullable().meta({ description: 'null for any number' }),
    maxBytes: z.int().nullable().meta({ description: 'null for any number' }),
    maxFileBytes: z.int().nullable().meta({ description: 'null for any number' }),
    files: z.int().meta({ description: 'those that have arrived, whether they are still there or not' }),
    bytes: z.int().meta({ description: 'of those files' }),
    opened: z.int().meta({ description: 'how often the page was shown' }),
    note: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'FileRequest', example: exampleRequest })
export type FileRequestRecord = z.infer<typeof fileRequestSchema>

export const fileRequestListSchema = z
  .object({ requests: z.array(fileRequestSchema).meta({ description: 'newest first' }) })
  .meta({ id: 'FileRequestList', example: { requests: [exampleRequest] } })
export type FileRequestList = z.infer<typeof fileRequestListSchema>

const exampleOpen = {
  from: 'Ann (ann)',
  note: 'Your photos, please',
  expiresAt: '2026-11-27T09:30:00.000Z',
  maxFileBytes: null,
  filesLeft: 17,
  bytesLeft: 2_134_900_736,
}

/** What a sender is told of a request. */
export const openRequestSchema = z
  .object({
    from: z.string().meta({ description: 'who asks for files' }),
    note: z.string().nullable(),
    expiresAt: z.iso.datetime(),
    maxFileBytes: z.int().nullable().meta({ description: 'bytes of one file at most; null for any number' }),
    filesLeft: z.int().nullable().meta({ description: 'how many files it still takes; null for any number' }),
    bytesLeft: z.int().nullable().meta({ description: 'how many bytes it still takes; null for any number' }),
  })
  .meta({ id: 'OpenFileRequest', example: exampleOpen })
export type OpenRequestRecord = z.infer<typeof openRequestSchema>

const exampleSent = {
  name: 'photo (2).jpg',
  size: 4_194_304,
  sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
}

/** A file that a sender has sent. */
export const sentFileSchema = z
  .object({
    name: z.string().meta({ description: 'below the folder of the request, with a number if the name was taken' }),
    size: z.int(),
    sha256: z.string(),
  })
  .meta({ id: 'SentFile', example: exampleSent })
export type SentFileRecord = z.infer<typeof sentFileSchema>

export const sentFilesSchema = z
  .object({ files: z.array(sentFileSchema) })
  .meta({ id: 'SentFiles', example: { files: [exampleSent] } })
