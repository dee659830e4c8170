import { parentPort, workerData } from 'node:worker_threads'
import { Mutex } from '../../concurrency/mutex.js'
import type { BatchAnswer, BatchRequest } from './batch-messages.js'
import { BatchPublisher } from './batch-publisher.js'
import { sendError } from './sent-errors.js'
import type { BatchWorkerFolders } from './small-files.js'
import { SyncMetadata } from './sync-metadata.js'

const { uploads, partial, meta } = workerData as BatchWorkerFolders
const publisher = new BatchPublisher({ uploads, partial, metadata: new SyncMetadata(meta) })
const oneAtATime = new Mutex()

parentPort?.on('message', ({ id, batch }: BatchRequest) => {
  oneAtATime
    .run(() => publisher.publish(batch))
    .then(
      (results) => answer({ id, results }),
      (error) => answer({ id, error: sendError(error) }),
    )
})

function answer(message: BatchAnswer): void {
  parentPort?.postMessage(message)
}
