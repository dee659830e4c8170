import { z } from 'zod'

export const fileSchema = z
  .object({
    name: z.string(),
    size: z.int(),
    sha256: z.string().nullable().meta({ description: 'hexadecimal; null for files put there by hand' }),
    type: z.string().meta({ description: 'media type' }),
    uploadedAt: z.iso.datetime(),
  })
  .meta({ id: 'File' })
export type FileRecord = z.infer<typeof fileSchema>

export const fileListSchema = z
  .object({ files: z.array(fileSchema), next: z.string().nullable() })
  .meta({ id: 'FileList' })
export type FileList = z.infer<typeof fileListSchema>

/** The answer to a finished upload by form. */
export const uploadedSchema = z.object({ message: z.string(), files: z.array(fileSchema) }).meta({ id: 'Uploaded' })
export type Uploaded = z.infer<typeof uploadedSchema>

export const exportSchema = z
  .object({ filename: z.string() })
  .meta({ id: 'Export', example: { filename: 'sample.csv' } })
export const moveSchema = z.object({ to: z.string() }).meta({ id: 'Move', example: { to: 'archive/sample.csv' } })
