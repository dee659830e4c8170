import { parentPort, workerData } from 'node:worker_threads'
import pLimit from 'p-limit'
import type { BatchAnswer, BatchRequest } from './batch-messages.js'
import { BatchPublisher } from './batch-publisher.js'
import { PublishedDigests } from './published-digests.js'
import { sendError } from './sent-errors.js'
import type { BatchWorkerFolders } from './small-files.js'
import { SyncMetadata } from './sync-metadata.js'

const { uploads, partial, meta } = workerData as BatchWorkerFolders
const metadata = new SyncMetadata(meta)
const publisher = new BatchPublisher({ uploads, partial, metadata, digests: new PublishedDigests(meta) })
/** While one waits for the disk, the next one is hashed and written. */
const atOnce = pLimit(2)

parentPort?.on('message', ({ id, batch }: BatchRequest) => {
  atOnce(() => publisher.publish(batch)).then(
    (results) => answer({ id, results }),
    (error) => answer({ id, error: sendError(error) }),
  )
})

function answer(message: BatchAnswer): void {
  parentPort?.postMessage(message)
}
