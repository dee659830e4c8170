import { z } from 'zod'
import { archiveFormats, paxDigest } from './archives.js'

const exampleFile = {
  name: 'reports/sales.csv',
  size: 734_003,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  type: 'text/csv',
  uploadedAt: '2026-11-20T09:31:07.000Z',
}

export const fileSchema = z
  .object({
    name: z.string(),
    size: z.int(),
    sha256: z.string().nullable().meta({ description: 'hexadecimal; null for files put there by hand' }),
    type: z.string().meta({ description: 'media type' }),
    uploadedAt: z.iso.datetime(),
  })
  .meta({ id: 'File', example: exampleFile })
export type FileRecord = z.infer<typeof fileSchema>

export const fileListSchema = z
  .object({ files: z.array(fileSchema), next: z.string().nullable() })
  .meta({ id: 'FileList', example: { files: [exampleFile], next: 'cmVwb3J0cy9zYWxlcy5jc3Y' } })
export type FileList = z.infer<typeof fileListSchema>

/** The response to a completed upload by form. */
export const uploadedSchema = z
  .object({ message: z.string(), files: z.array(fileSchema) })
  .meta({ id: 'Uploaded', example: { message: 'Uploaded reports/sales.csv.', files: [exampleFile] } })
export type Uploaded = z.infer<typeof uploadedSchema>

export const exportSchema = z
  .object({ filename: z.string() })
  .meta({ id: 'Export', example: { filename: 'sample.csv' } })
export const exportManySchema = z
  .object({
    files: z
      .array(z.string())
      .min(1)
      .meta({ description: 'names of files, and of folders with a slash at the end; `/` is everything' }),
    folder: z.string().optional().meta({
      description: 'the folder that `files` are in, with a slash at the end: the archive has their names in it',
    }),
    archive: z.enum(archiveFormats).default('tar'),
    digests: z
      .boolean()
      .default(false)
      .meta({ description: `adds the SHA-256 of each file to a tar, as the PAX record ${paxDigest}` }),
    prepare: z
      .boolean()
      .default(false)
      .meta({ description: 'answers with the job: `GET /jobs/ID/archive` of the same session fetches it within 30 s' }),
  })
  .meta({ id: 'ExportMany', example: { files: ['sample.csv', 'photos/'], archive: 'zip' } })
export type ExportMany = z.infer<typeof exportManySchema>

export const moveSchema = z.object({ to: z.string() }).meta({ id: 'Move', example: { to: 'archive/sample.csv' } })
