import { join, resolve } from 'node:path'
import { examine, type Findings, settle } from './recover.js'
import { openAccountStore } from './stores/local/accounts.js'
import { openCounters } from './stores/local/counters.js'
import { checkHoldsData } from './stores/local/data-folder.js'
import { upgradeDataFolder } from './stores/local/data-format.js'
import { lockDataFolder } from './stores/local/data-lock.js'
import { openDiskReserve } from './stores/local/disk-reserve.js'
import { openLocalFiles } from './stores/local/files.js'
import { checkIntegrity, type Integrity } from './stores/local/integrity.js'
import { openJobFiles } from './stores/local/job-files.js'
import { openJobHistory } from './stores/local/job-history.js'
import { openTableStore } from './stores/local/tables.js'
import { listUnserved, type Unserved } from './stores/local/unserved.js'
import { accountOfKept } from './transfers/resume-state.js'

/** What the next start of the server would find and repair. */
export interface DoctorReport {
  resumable: {
    id: string
    account: string
    file: string
    bytes: number
    totalBytes: number | null
    expiresAt: string
  }[]
  /** Partial files that no client can resume, and removed folders that are not deleted yet. */
  leftovers: { path: string; bytes: number | null; why: string }[]
  /** Files that are to appear together: those whose publish was decided, which is finished. */
  published: { path: string; files: number; bytes: number }[]
  /** Interrupted jobs, and the states to record for them. */
  ended: { id: string; kind: string; account: string; file: string | null; state: string }[]
  /** Files in `uploads/` that no request can reach. */
  unserved: Unserved[]
  /** The result of reading everything; null if that was not requested. */
  integrity: Integrity | null
  /** Whether the repairs were made. */
  fixed: boolean
}

/**
 * Inspects a data folder like a starting server, and with `fix` makes the same repairs. With `verify` it also reads
 * every file and table and compares their digests. Throws `busy` while a server uses the folder, and `invalid-request`
 * for a folder without accounts.
 */
export async function examineFolder(
  dataFolder: string,
  { keepPartialMs, fix, verify }: { keepPartialMs: number; fix: boolean; verify: boolean },
): Promise<DoctorReport> {
  const root = resolve(dataFolder)
  await checkHoldsData(root)
  const closers: (() => Promise<unknown>)[] = []
  try {
    const reserve = await openDiskReserve(root)
    closers.push(() => reserve.close())
    const lock = await reserve.use(() => lockDataFolder(root))
    closers.push(() => lock.release())
    await reserve.use(() => upgradeDataFolder(root))
    const counters = await openCounters(root)
    closers.push(() => counters.close())
    const accounts = await openAccountStore(root, counters)
    closers.push(() => accounts.close())
    const { files, partials, discarded, stages, ...local } = await openLocalFiles(root)
    closers.push(() => local.close())
    let failure: unknown = null
    const history = await openJobHistory(root, (error) => {
      failure = error
    })
    closers.push(() => history.close())
    const tables = await openTableStore({ tables: join(root, 'tables'), partial: join(root, 'partial') }, counters)
    const jobFiles = await openJobFiles(root)
    closers.push(() => jobFiles.close())
    const services = { files, partials, stages, history, jobFiles, accounts, tables, keepPartialMs }
    const findings = await examine(services)
    const deleting = await discarded.list()
    if (fix) {
      await settle(findings, services)
      discarded.sweep()
      await discarded.idle()
    }
    await history.close()
    if (failure) throw failure
    const uploads = join(root, 'uploads')
    return {
      ...reportOf(findings, { root, keepPartialMs, fix, deleting }),
      unserved: await listUnserved(uploads),
      integrity: verify ? await checkIntegrity({ uploads, meta: join(root, 'meta') }, tables) : null,
    }
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

function reportOf(
  { resumable, leftovers, tableLeftovers, stages, ended }: Findings,
  { root, keepPartialMs, fix, deleting }: { root: string; keepPartialMs: number; fix: boolean; deleting: string[] },
): Omit<DoctorReport, 'unserved' | 'integrity'> {
  const stagePath = (id: string) => join(root, 'partial', `${id}.stage`)
  return {
    resumable: resumable.map(({ id, resumeState, offset, lastUsedAt }) => ({
      id,
      account: accountOfKept(resumeState),
      file: resumeState.name,
      bytes: offset,
      totalBytes: resumeState.length,
      expiresAt: new Date(lastUsedAt.getTime() + keepPartialMs).toISOString(),
    })),
    leftovers: [
      ...leftovers.map(({ id, bytes, why }) => {
        return { path: join(root, 'partial', `${id}.${bytes === null ? 'json' : 'bin'}`), bytes, why }
      }),
      ...deleting.map((path) => ({ path, bytes: null, why: 'its folder was removed, but is still on the disk' })),
      ...tableLeftovers.map(({ path, bytes }) => ({ path, bytes, why: 'its import never came to its end' })),
      ...stages
        .filter(({ published }) => !published)
        .map(({ id, bytes }) => ({ path: stagePath(id), bytes, why: 'its files were never published' })),
    ],
    published: stages
      .filter(({ published }) => published)
      .map(({ id, files, bytes }) => ({ path: stagePath(id), files, bytes })),
    ended: ended.map(({ job: { id, kind, account, file, state } }) => ({ id, kind, account, file, state })),
    fixed: fix,
  }
}
