import type { Readable } from 'node:stream'
import type { Precondition } from '../stores/precondition.js'
import type { UploadRequest } from '../transfers/upload-request.js'
import type { StoredEntry } from './stored-entry.js'

/** A request whose body is a tar. */
export interface TarUpload extends UploadRequest {
  partOf: string | null
  /** The prefix of all names, with a slash at its end; empty for none. */
  prefix: string
  body: Readable
  /** Of every file. */
  precondition: Precondition
  isTogether: boolean
  replaces: boolean
  /** Called with the files that have become durable. Resolves when more of them may be reported. */
  onStored(files: StoredEntry[]): Promise<void>
}
