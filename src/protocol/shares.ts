import { z } from 'zod'
import { hasOneExpiry, linkTerms, oneExpiry } from './link-terms.js'

/** Files and folders of one link; the names have 32,768 characters at most in all. */
export const maxSelected = 200

export const newShareSchema = z
  .object({
    filename: z
      .string()
      .optional()
      .meta({ description: 'of a file, or of a folder with a slash at its end; this or `files`' }),
    files: z
      .array(z.string())
      .min(1)
      .max(maxSelected)
      .optional()
      .meta({ description: 'the names of several files and folders that the link shows together' }),
    ...linkTerms,
    maxDownloads: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: 'how many downloads may send their last byte; any number by default' }),
  })
  .refine(({ filename, files }) => (filename === undefined) !== (files === undefined), {
    error: 'or files must be given, and not both',
    path: ['filename'],
  })
  .refine(hasOneExpiry, oneExpiry)
  .meta({
    id: 'NewShare',
    example: { filename: 'reports/sales.csv', expiresIn: 86_400, password: 'correct horse', maxDownloads: 3 },
  })
export type NewShare = z.infer<typeof newShareSchema>

const exampleShare = {
  id: 'mXy2c7Gd0Q4s',
  url: 'https://files.example.org/s/mXy2c7Gd0Q4sVb1P3l5Zr0tYh8kN2eWqJx7aUd',
  filename: 'reports/sales.csv',
  files: null,
  available: true,
  state: 'live' as const,
  hasPassword: true,
  maxDownloads: 3,
  downloads: 1,
  opened: 4,
  note: null,
  createdAt: '2026-11-20T09:30:00.000Z',
  expiresAt: '2026-11-21T09:30:00.000Z',
}

export const shareSchema = z
  .object({
    id: z.string(),
    url: z.string().meta({ description: 'anyone with the link can download the file without an account' }),
    filename: z.string().meta({ description: 'of several files, the folder that holds them all' }),
    files: z.array(z.string()).nullable().meta({ description: 'the names of several files and folders' }),
    available: z
      .boolean()
      .meta({ description: 'false while there is no file or folder of that name: the link then answers 404' }),
    state: z
      .enum(['live', 'expired', 'exhausted'])
      .meta({ description: '`expired` and `exhausted` links answer 410; they are listed for 30 days after their end' }),
    hasPassword: z.boolean(),
    maxDownloads: z.int().nullable().meta({ description: 'null for any number' }),
    downloads: z.int().meta({ description: 'those that sent the last byte of a file' }),
    opened: z.int().meta({ description: 'how often the page or the list of a folder was shown' }),
    note: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Share', example: exampleShare })
export type ShareRecord = z.infer<typeof shareSchema>

export const shareListSchema = z
  .object({ shares: z.array(shareSchema).meta({ description: 'newest first' }) })
  .meta({ id: 'ShareList', example: { shares: [exampleShare] } })
export type ShareList = z.infer<typeof shareListSchema>

export const linkPasswordSchema = z
  .object({ password: z.string() })
  .meta({ id: 'LinkPassword', example: { password: 'correct horse' } })
