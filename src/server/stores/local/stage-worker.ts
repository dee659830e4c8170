import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { Publication } from '../../../protocol/folder-jobs.js'
import { sendError } from './sent-errors.js'
import { checkStage, type StageEffects } from './stage-check.js'
import type { StageAnswer, StageWork } from './stage-publish.js'
import { rollForward } from './stage-roll-forward.js'

// One publish: the checks, and after the server's word the journal and the renames.
const { conditions, stage, published } = workerData as StageWork

try {
  const effects = checkStage(conditions, stage, published)
  answer({ removed: effects.removed })
  parentPort?.once('message', (publication: Publication) => {
    try {
      decide(effects, publication)
      answer({ done: true })
    } catch (error) {
      answer({ error: sendError(error) })
    }
  })
} catch (error) {
  answer({ error: sendError(error) })
}

function decide({ removed, covered }: StageEffects, publication: Publication): void {
  const { space, prefix, replace, keep } = conditions
  const isSwap = replace && keep.size === 0
  const journal = {
    ...space,
    prefix,
    isSwap,
    removed: isSwap ? [] : removed.map(({ name }) => name),
    covered: isSwap ? [] : covered,
    publication,
  }
  const temporary = `${stage.journal}.new`
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeSync(fd, JSON.stringify(journal))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, stage.journal)
  syncFolderNow(dirname(stage.journal))
  rollForward(journal, stage, published)
}

function syncFolderNow(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function answer(message: StageAnswer): void {
  parentPort?.postMessage(message)
}
