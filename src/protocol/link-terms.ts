import { z } from 'zod'
import { newPassword } from './accounts.js'

/** The maximum lifetime of a link, in seconds: 366 days, a year. */
export const maxShareSeconds = 366 * 86_400

/** Characters of a link's note. */
const maxNoteLength = 500

/** What the creator of any link says of it. */
export const linkTerms = {
  expiresIn: z
    .int()
    .min(1, 'a link works for a second at least')
    .max(maxShareSeconds, `a link works for 366 days at most, which are ${maxShareSeconds} seconds`)
    .optional()
    .meta({ description: 'seconds, 366 days at most; this or `expiresAt`' }),
  expiresAt: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'the end of the link, 366 days ahead at most; this or `expiresIn`' }),
  password: newPassword.optional().meta({ description: 'what the link asks for: 8 to 72 bytes' }),
  note: z.string().max(maxNoteLength).optional().meta({ description: 'for everyone with the link' }),
}

export function hasOneExpiry({ expiresIn, expiresAt }: { expiresIn?: unknown; expiresAt?: unknown }): boolean {
  return (expiresIn === undefined) !== (expiresAt === undefined)
}

/** What is wrong where `hasOneExpiry` is not true. */
export const oneExpiry = { error: 'or expiresAt must be given, and not both', path: ['expiresIn'] }
