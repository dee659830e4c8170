import { randomUUID } from 'node:crypto'
import { ownerOf } from '../jobs/job-owner.js'
import type { DeclaredDigests, PublishedFiles, Space, StoredFile } from '../stores/files.js'
import { checkPrecondition, type Precondition } from '../stores/precondition.js'
import { requestOfJob } from '../stores/request-account.js'
import { isKnownBy } from './declared-digests.js'
import type { UploadRequest } from './upload-request.js'

/** A file that is about to be received. */
export interface FileToReceive extends Pick<UploadRequest, 'identity' | 'account'> {
  name: string
  /** Bytes, null if not yet known. */
  size: number | null
  digests: DeclaredDigests
  precondition: Precondition
}

/**
 * The file that an upload would publish, if it is there: then nothing has to be sent. Throws what would prevent the publish, which
 * checks again. An upload by a link for uploads never hears what is there.
 */
export async function findKnownFile(
  files: Pick<PublishedFiles, 'checkName' | 'find'>,
  upload: FileToReceive,
): Promise<StoredFile | undefined> {
  const { identity, name, size, digests, precondition } = upload
  if (isByRequest(upload)) {
    await checkFoldersOf(files, identity.account, name)
    return undefined
  }
  await files.checkName(identity.account, name)
  const there = await files.find(identity.account, name)
  // The response to an earlier attempt was lost: the same bytes again succeed without sending them.
  if (there && size === there.size && isKnownBy(digests, there.sha256)) return there
  checkPrecondition(there, precondition)
  return undefined
}

/** Whether an upload comes by a link for uploads: its files replace nothing, and get numbers instead. */
export function isByRequest(upload: Pick<UploadRequest, 'identity' | 'account'>): boolean {
  return requestOfJob(ownerOf(upload)) !== undefined
}

/** Throws `name-conflict` if a folder of the name is a file. What has the name itself does not matter to a numbered one. */
export async function checkFoldersOf(
  files: Pick<PublishedFiles, 'checkName'>,
  space: Space,
  name: string,
): Promise<void> {
  await files.checkName(space, name.slice(0, name.lastIndexOf('/') + 1) + randomUUID())
}
