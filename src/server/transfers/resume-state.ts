import { z } from 'zod'
import { requestAccount } from '../stores/request-account.js'

/** The resume state beside the partial of a resumable upload, so that it can continue after a restart. */
export const resumeStateSchema = z.object({
  accountId: z.int(),
  space: z.object({ role: z.string(), username: z.string() }),
  name: z.string(),
  /** Media type. */
  type: z.string(),
  /** Bytes of the whole upload; null if unknown. */
  length: z.int().nonnegative().nullable(),
  /** As sent by the client, to be returned. */
  metadata: z.string(),
  /** The declared SHA-256 of the whole file, 64 hexadecimal digits; null if none was declared. */
  sha256: z.string().nullable(),
  sha512: z.string().nullable().default(null),
  precondition: z.object({
    ifMatch: z.union([z.array(z.string()), z.literal('*')]).optional(),
    ifNoneMatch: z.union([z.array(z.string()), z.literal('*')]).optional(),
    ifUnmodifiedSince: z.number().optional(),
  }),
  /** The job of many files that it belongs to, and does not outlive; null for a job of its own. */
  partOf: z.string().nullable().default(null),
  /** The link for uploads by which it comes; null for an upload of the account itself. */
  request: z.string().nullable().default(null),
  createdAt: z.iso.datetime(),
  /** The offset from which bytes await their checksum: after a crash they do not count. */
  uncheckedFrom: z.int().nonnegative().nullable(),
  /** Whether it is paused. */
  paused: z.boolean().default(false),
  /** Bytes per second; null for no limit. */
  rateLimit: z.int().positive().nullable().default(null),
})
export type ResumeState = z.infer<typeof resumeStateSchema>

/** The account of the job of an upload. */
export function accountOfKept({ request, space }: Pick<ResumeState, 'request' | 'space'>): string {
  return request === null ? `${space.role}:${space.username}` : requestAccount(request)
}

/** An upload of an earlier run of the server. */
export interface KeptUpload {
  id: string
  resumeState: ResumeState
  /** Valid bytes on disk. */
  offset: number
  lastUsedAt: Date
}
