import { z } from 'zod'

/** The maximum lifetime of a share, in seconds: 30 days. */
export const maxShareSeconds = 30 * 86_400

export const newShareSchema = z
  .object({
    filename: z.string().meta({ description: 'of a file, or of a folder with a slash at its end' }),
    expiresIn: z
      .int()
      .min(1, 'a link works for a second at least')
      .max(maxShareSeconds, `a link works for 30 days at most, which are ${maxShareSeconds} seconds`)
      .meta({ description: 'seconds, 30 days at most' }),
  })
  .meta({ id: 'NewShare', example: { filename: 'reports/sales.csv', expiresIn: 86_400 } })

const exampleShare = {
  id: 'mXy2c7Gd0Q4s',
  url: 'https://files.example.org/s/mXy2c7Gd0Q4sVb1P3l5Zr0tYh8kN2eWqJx7aUd',
  filename: 'reports/sales.csv',
  available: true,
  createdAt: '2026-11-20T09:30:00.000Z',
  expiresAt: '2026-11-21T09:30:00.000Z',
}

export const shareSchema = z
  .object({
    id: z.string(),
    url: z.string().meta({ description: 'anyone with the link can download the file without an account' }),
    filename: z.string(),
    available: z
      .boolean()
      .meta({ description: 'false while there is no file or folder of that name: the link then answers 404' }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Share', example: exampleShare })
export type ShareRecord = z.infer<typeof shareSchema>

export const shareListSchema = z
  .object({ shares: z.array(shareSchema).meta({ description: 'newest first' }) })
  .meta({ id: 'ShareList', example: { shares: [exampleShare] } })
export type ShareList = z.infer<typeof shareListSchema>
