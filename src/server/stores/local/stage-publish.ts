import { Worker } from 'node:worker_threads'
import type { Publication } from '../../../protocol/folder-jobs.js'
import type { SentError } from './batch-messages.js'
import { receiveError } from './sent-errors.js'
import type { StageConditions } from './stage-check.js'
import type { StageFolders } from './stage-paths.js'
import type { PublishedTrees } from './stage-roll-forward.js'

export interface StageWork {
  conditions: StageConditions
  stage: StageFolders
  published: PublishedTrees
}

export type StageAnswer = { removed: { name: string; size: number }[] } | { done: true } | { error: SentError }

/**
 * Publishes a stage in a worker thread of its own: a folder may have very many files. Calls `commit` after the checks, with
 * the number of files that are removed, and rejects with what it throws, with nothing changed.
 */
export function publishInThread(
  work: StageWork,
  commit: (removed: number) => Publication,
): Promise<{ name: string; size: number }[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./stage-worker.js', import.meta.url), { workerData: work })
    let removed: { name: string; size: number }[] = []
    const fail = (error: unknown) => {
      void worker.terminate()
      reject(error)
    }
    worker.on('message', (answer: StageAnswer) => {
      if ('error' in answer) return fail(receiveError(answer.error))
      if ('done' in answer) return resolve(removed)
      removed = answer.removed
      try {
        worker.postMessage(commit(removed.length))
      } catch (error) {
        fail(error)
      }
    })
    worker.on('error', fail)
    worker.on('exit', () => reject(new Error('The thread that publishes files together has ended.')))
  })
}
