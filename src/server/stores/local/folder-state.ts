import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../../protocol/problems.js'
import type { Account } from '../accounts.js'
import type { FileRequest } from '../file-requests.js'
import type { HistoryEntry } from '../history.js'
import type { JobFiles } from '../job-files.js'
import { endedWithServer } from '../lost-jobs.js'
import type { StoredSession } from '../sessions.js'
import type { Share } from '../shares.js'
import { openAccountStore } from './accounts.js'
import { openCounters } from './counters.js'
import { openFileRequestStore } from './file-requests.js'
import { openJobFiles } from './job-files.js'
import { readAllJobs } from './job-history.js'
import { missingAsEmpty } from './missing.js'
import { readSecretKey } from './secret-key.js'
import { openSessionStore } from './sessions.js'
import { openShareStore } from './shares.js'
import { stageIdOf } from './stage-paths.js'

/** Everything of a data folder but its files and tables. */
export interface FolderState {
  accounts: Account[]
  sessions: StoredSession[]
  lastSeen: ReadonlyMap<number, string>
  shares: Share[]
  requests: FileRequest[]
  counters: Readonly<Record<string, number>>
  /** null if the key was that of a variable. */
  signingKey: Buffer | null
  /** Jobs that have not ended are recorded as failed. */
  jobs: HistoryEntry[]
  /** Those of them, as they were. */
  unfinished: HistoryEntry[]
  jobFiles: Pick<JobFiles, 'jobs' | 'list'>
}

/**
 * Reads a data folder whose lock the caller holds, and changes nothing in it. Throws if a file of it is damaged, and
 * `invalid-request` if a crash has interrupted a change of its files that a start of the server would complete.
 */
export async function readFolderState(root: string): Promise<FolderState> {
  await checkSettled(root)
  const counters = await openCounters(root)
  const accounts = await (await openAccountStore(root, counters)).list()
  const [sessions, shares] = [await openSessionStore(root), await openShareStore(root)]
  const requests = await openFileRequestStore(root)
  const { unfinished, ended } = await readAllJobs(root)
  const state: FolderState = {
    accounts,
    sessions: [],
    lastSeen: await sessions.lastSeen(),
    shares: [],
    requests: [],
    counters: counters.all(),
    signingKey: await readSecretKey(root),
    jobs: [...ended, ...unfinished.map(endOfUnfinished)],
    unfinished,
    jobFiles: await openJobFiles(root),
  }
  for (const { id } of accounts) {
    state.sessions.push(...(await sessions.list(id)))
    state.shares.push(...(await shares.list(id)))
    state.requests.push(...(await requests.list(id)))
  }
  return state
}

async function checkSettled(root: string): Promise<void> {
  const renames = await readdir(join(root, 'meta/renames')).catch(missingAsEmpty)
  const partials: string[] = await readdir(join(root, 'partial')).catch(missingAsEmpty)
  if (renames.length === 0 && !partials.some((name) => stageIdOf(name) !== undefined)) return
  const reason = `a crash has interrupted changes in ${root}: run "filejobs doctor --data ${root} --fix" first`
  throw new Problem('invalid-request', `--data: ${reason}.`, { field: '--data' })
}

function endOfUnfinished(entry: HistoryEntry): HistoryEntry {
  const { code, message, status } = endedWithServer()
  const endedAt = new Date().toISOString()
  return { ...entry, job: { ...entry.job, state: 'failed', rate: null, endedAt, error: { code, message, status } } }
}
