import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { withBytes } from '../jobs/percent.js'
import type { Database } from '../stores/postgres/database.js'
import { adoptUpload } from '../stores/s3/adopted-uploads.js'
import { type FileStorage, storeFile } from '../stores/s3/stored-file.js'
import type { FailedFile } from './file-mover.js'
import type { SourceFolder, UnfinishedUpload } from './source-folder.js'

/** What happened to the unfinished uploads. */
export interface MovedUploads {
  unfinishedUploads: number
  failed: FailedFile[]
}

export interface UploadMoverServices {
  source: Pick<SourceFolder, 'unfinishedUploads'>
  database: Database
  storage: FileStorage
  /** Called with bytes that the cluster has. */
  advance: (bytes: number) => void
}

/** Moves uploads that their clients continue on the new servers, from the offset that they were told. */
export async function moveUploads(services: UploadMoverServices): Promise<MovedUploads> {
  const moved: MovedUploads = { unfinishedUploads: 0, failed: [] }
  for (const upload of services.source.unfinishedUploads) {
    const failure = await moveUpload(services, upload)
    if (failure) moved.failed.push(failure)
    else moved.unfinishedUploads += 1
  }
  return moved
}

async function moveUpload(
  { database, storage, advance }: UploadMoverServices,
  { path, offset, resumeState, entry }: UnfinishedUpload,
): Promise<FailedFile | undefined> {
  const content = randomUUID()
  if (offset > 0) {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => error)
    if (file instanceof Error) return { path, why: `it cannot be read (${file.code})`, isDamage: false }
    try {
      await storeFile(storage, file, { content, size: offset, onBytes: advance })
    } finally {
      await file.close()
    }
  }
  const job = withBytes(entry.job, offset)
  await adoptUpload(database, { content, size: offset, resumeState: { ...resumeState, uncheckedFrom: null }, job })
  return undefined
}
