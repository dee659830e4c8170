import { ownerOf } from '../jobs/job-owner.js'
import type { NewJob } from '../jobs/job-plan.js'
import type { DeclaredDigests } from '../stores/files.js'
import type { Precondition } from '../stores/precondition.js'
import { requestOfJob } from '../stores/request-account.js'
import type { ResumeState } from './resume-state.js'
import type { UploadChunk } from './upload-chunks.js'
import type { UploadRequest } from './upload-request.js'

/** The options of a creation. */
export interface Creation extends UploadRequest {
  /** Validated by `parseName`; null without one: the upload's id is used. */
  name: string | null
  /** Media type. */
  type: string
  /** Bytes, null if not yet known. */
  length: number | null
  /** As sent by the client, to be returned. */
  metadata: string
  /** Of the whole upload. */
  digests: DeclaredDigests
  precondition: Precondition
  /** The first chunk, if it is part of the creation. */
  first: Pick<UploadChunk, 'body' | 'bodySize' | 'digests' | 'lateDigests' | 'check'> | null
}

export type NamedCreation = Creation & { name: string }

/** The job of an upload. */
export function planOfNew(id: string, creation: NamedCreation) {
  const { name, length, rateLimit } = creation
  return {
    kind: 'upload',
    id,
    ...ownerOf(creation),
    file: name,
    totalBytes: length,
    rateLimit: rateLimit ?? null,
  } satisfies NewJob
}

/** The initial resume state of an upload. */
export function initialResumeState(creation: NamedCreation, createdAt: Date): ResumeState {
  const { identity, name, type, length, metadata, digests, precondition, rateLimit } = creation
  const { account } = identity
  return {
    accountId: account.id,
    space: { role: account.role, username: account.username },
    name,
    type,
    length,
    metadata,
    sha256: digests.sha256 ?? null,
    sha512: digests.sha512 ?? null,
    precondition,
    partOf: creation.partOf ?? null,
    request: requestOfJob(ownerOf(creation)) ?? null,
    createdAt: createdAt.toISOString(),
    uncheckedFrom: null,
    paused: false,
    rateLimit: rateLimit ?? null,
  }
}
