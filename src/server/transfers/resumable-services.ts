import type { KeepLimits } from '../jobs/resumable-lifetime.js'
import type { SlotLimits } from '../jobs/resumable-slot.js'
import type { PublishedUpload } from '../stores/history.js'
import type { RemoteJobs } from '../stores/remote-jobs.js'
import type { ReceivingMemory } from './partial-writer.js'
import type { UploadServices } from './upload-services.js'

export interface ResumableServices extends UploadServices, KeepLimits, SlotLimits {
  memory: ReceivingMemory
  /** Of the other servers, whose uploads are continued here when their clients come here. */
  remote: RemoteJobs
  /** Called with errors that end an upload between its requests. */
  onFailure(error: unknown): void
}

/** The progress of an upload. Every advertised offset is on disk. */
export interface UploadProgress {
  id: string
  offset: number
  length: number | null
  metadata: string
  /** null if it does not expire any more. */
  expiresAt: Date | null
  published: Pick<PublishedUpload, 'entityTag' | 'sha256'> | null
}
