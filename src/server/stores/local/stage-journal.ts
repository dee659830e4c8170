import { existsSync, readFileSync } from 'node:fs'
import { isUnreachable } from '../../../protocol/file-errors.js'
import type { Publication } from '../../../protocol/folder-jobs.js'

/** What a publish of a stage does. Once it is on the disk, the publish is decided. */
export interface StageJournal {
  role: string
  username: string
  prefix: string
  /** Whether the folder of the prefix is replaced as a whole. */
  isSwap: boolean
  /** Names of files to remove, if it is not. */
  removed: string[]
  /** Folders that those of the stage replace as a whole, if it is not; missing in journals of earlier versions. */
  covered?: string[]
  /** What the record of the job then says. */
  publication: Publication
}

/** As earlier versions have written it. */
interface EarlierJournal extends Omit<StageJournal, 'publication'> {
  files: number
  bytes: number
  replaced: number
  removedCount: number
}

/** Undefined if there is none, or it was never complete. */
export function readJournal(path: string): StageJournal | undefined {
  if (!existsSync(path)) return undefined
  try {
    return current(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError || isUnreachable(error)) return undefined
    throw error
  }
}

function current(journal: StageJournal | EarlierJournal): StageJournal {
  if ('publication' in journal) return journal
  const { files, bytes, replaced, removedCount: removed, ...rest } = journal
  const created = files - replaced
  return { ...rest, publication: { files, bytes, created, replaced, unchanged: 0, removed, failed: 0 } }
}
