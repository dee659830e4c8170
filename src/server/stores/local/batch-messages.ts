import type { StoredFile } from '../files.js'
import type { NewFile } from '../small-files.js'

/** A small file whose bytes are the next `size` bytes of the batch. */
export interface BatchedFile extends Omit<NewFile, 'bytes'> {
  size: number
}

export interface Batch {
  role: string
  username: string
  files: BatchedFile[]
  bytes: Uint8Array<ArrayBuffer>
  /** Where the files wait to be published; undefined if they are published now. */
  stage?: { uploads: string; meta: string } | undefined
}

/** The properties of an error that can be sent between threads. */
export interface SentError {
  message: string
  /** Of a `Problem`. */
  problem?: { code: string; details: Record<string, unknown> }
  /** Of the system's error. */
  code?: string | undefined
  path?: string | undefined
  syscall?: string | undefined
}

export type BatchResult =
  | { status: 'new' | 'replaced' | 'unchanged'; file: StoredFile }
  | { status: 'failed'; error: SentError }

export type BatchRequest = { id: number; batch: Batch }
export type BatchAnswer = { id: number; results: BatchResult[] } | { id: number; error: SentError }
