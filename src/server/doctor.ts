import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Problem } from '../protocol/problems.js'
import { examine, type Findings, settle } from './recover.js'
import { openAccountStore } from './stores/local/accounts.js'
import { openCounters } from './stores/local/counters.js'
import { lockDataFolder } from './stores/local/data-lock.js'
import { openFileStore } from './stores/local/files.js'
import { openJobHistory } from './stores/local/job-history.js'
import { openTableStore } from './stores/local/tables.js'

/** What the next start of the server would find, and do. */
export interface DoctorReport {
  resumable: {
    id: string
    account: string
    file: string
    bytes: number
    totalBytes: number | null
    expiresAt: string
  }[]
  /** What nobody can go on with. */
  leftovers: { path: string; bytes: number | null; why: string }[]
  /** Jobs that broke off, and what they are recorded as. */
  ended: { id: string; kind: string; account: string; file: string | null; state: string }[]
  /** Whether all of it was done. */
  fixed: boolean
}

/**
 * Looks at a data folder as a starting server does, and with `fix` does what it would do. Throws `busy` while a server
 * works on the folder, and `invalid-request` for a folder without accounts.
 */
export async function examineFolder(
  dataFolder: string,
  { keepPartialMs, fix }: { keepPartialMs: number; fix: boolean },
): Promise<DoctorReport> {
  const root = resolve(dataFolder)
  await checkHoldsData(root)
  const closers: (() => Promise<unknown>)[] = []
  try {
    const lock = await lockDataFolder(root)
    closers.push(() => lock.release())
    const counters = await openCounters(root)
    closers.push(() => counters.close())
    const accounts = await openAccountStore(root, counters)
    closers.push(() => accounts.close())
    const files = await openFileStore(root)
    closers.push(() => files.close())
    let failure: unknown = null
    const history = await openJobHistory(root, (error) => {
      failure = error
    })
    closers.push(() => history.close())
    const tables = await openTableStore({ tables: join(root, 'tables'), partial: join(root, 'partial') }, counters)
    const services = { files, history, accounts, tables, keepPartialMs }
    const findings = await examine(services)
    if (fix) await settle(findings, services)
    await history.close()
    if (failure) throw failure
    return reportOf(findings, { root, keepPartialMs, fix })
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

function reportOf(
  { resumable, leftovers, tableLeftovers, ended }: Findings,
  { root, keepPartialMs, fix }: { root: string; keepPartialMs: number; fix: boolean },
): DoctorReport {
  return {
    resumable: resumable.map(({ id, note, offset, lastUsedAt }) => ({
      id,
      account: `${note.space.role}:${note.space.username}`,
      file: note.name,
      bytes: offset,
      totalBytes: note.length,
      expiresAt: new Date(lastUsedAt.getTime() + keepPartialMs).toISOString(),
    })),
    leftovers: [
      ...leftovers.map(({ id, bytes, why }) => {
        return { path: join(root, 'partial', `${id}.${bytes === null ? 'json' : 'bin'}`), bytes, why }
      }),
      ...tableLeftovers.map(({ path, bytes }) => ({ path, bytes, why: 'its import never came to its end' })),
    ],
    ended: ended.map(({ job: { id, kind, account, file, state } }) => ({ id, kind, account, file, state })),
    fixed: fix,
  }
}

async function checkHoldsData(root: string): Promise<void> {
  try {
    await access(join(root, 'accounts.json'))
  } catch (error) {
    const reason = `${root} is no data folder: name the one that the server runs on.`
    throw new Problem('invalid-request', `--data: ${reason}`, { field: '--data' }, { cause: error })
  }
}
