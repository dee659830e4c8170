import { z } from 'zod'

/** What is kept beside the partial of a resumable upload, so that it can go on after a restart. */
export const uploadNoteSchema = z.object({
  accountId: z.int(),
  space: z.object({ role: z.string(), username: z.string() }),
  name: z.string(),
  /** Media type. */
  type: z.string(),
  /** Bytes of the whole; null while the sender does not know. */
  length: z.int().nonnegative().nullable(),
  /** As the client sent it, to be given back. */
  metadata: z.string(),
  /** What the whole must have, 64 hexadecimal digits; null where nobody said. */
  sha256: z.string().nullable(),
  precondition: z.object({
    ifMatch: z.union([z.array(z.string()), z.literal('*')]).optional(),
    ifNoneMatch: z.literal('*').optional(),
  }),
  createdAt: z.iso.datetime(),
  /** Where the bytes begin that still await their checksum: what a crash leaves of them does not count. */
  uncheckedFrom: z.int().nonnegative().nullable(),
  /** Whether somebody has paused it, and nobody has resumed it. */
  paused: z.boolean().default(false),
  /** Bytes per second; null for none. */
  rateLimit: z.int().positive().nullable().default(null),
})
export type UploadNote = z.infer<typeof uploadNoteSchema>
