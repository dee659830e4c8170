import { LocalSlots } from '../jobs/local-slots.js'
import { recover } from '../recover.js'
import { openAccountStore } from '../stores/local/accounts.js'
import { openCounters } from '../stores/local/counters.js'
import { openDataFolder } from '../stores/local/data-folder.js'
import { upgradeDataFolder } from '../stores/local/data-format.js'
import { lockDataFolder } from '../stores/local/data-lock.js'
import { openFileRequestStore } from '../stores/local/file-requests.js'
import { openLocalFiles } from '../stores/local/files.js'
import { openJobFiles } from '../stores/local/job-files.js'
import { openJobHistory } from '../stores/local/job-history.js'
import { openSecretKey } from '../stores/local/secret-key.js'
import { openSessionStore } from '../stores/local/sessions.js'
import { openShareStore } from '../stores/local/shares.js'
import { LocalSpace } from '../stores/local/space.js'
import { openStorageCheck } from '../stores/local/storage-check.js'
import { localStorageView } from '../stores/local/storage-view.js'
import { openTableStore } from '../stores/local/tables.js'
import type { Backend, BackendOptions } from './backend.js'
import { quotasOf } from './quotas.js'
import { usageByAccount } from './usage.js'

/** Locks the data folder and opens the stores in it. */
export async function openLocalBackend({ config, log, clock, closers }: BackendOptions): Promise<Backend> {
  const folder = await openDataFolder(config.dataFolder)
  const { root } = folder
  const reserve = closers.opened(folder.reserve)
  const lock = await reserve.use(() => lockDataFolder(root))
  closers.add(() => lock.release())
  await reserve.use(() => upgradeDataFolder(root))
  const counters = closers.opened(await openCounters(root))
  const accounts = closers.opened(await openAccountStore(root, counters, reserve))
  const sessions = closers.opened(
    await openSessionStore(root, {
      reserve,
      onUsesLost: (error) => log.warn('When sessions were last used could not be written; it is lost', error),
    }),
  )
  const { checkRestored, discarded, ...fileStores } = closers.opened(
    await openLocalFiles(root, {
      reserve,
      onDamage: ({ space, name, path, recorded, found }) => {
        const what = `"${name}" of ${space.role}:${space.username} is damaged (${path})`
        log.error(what, new Error(`its SHA-256 is ${found}, but ${recorded} was recorded when it was stored`))
      },
      onError: (error) => log.warn('A restored file could not be compared, or a removed folder not deleted', error),
    }),
  )
  const shares = closers.opened(await openShareStore(root, { reserve }))
  const requests = closers.opened(await openFileRequestStore(root, { reserve }))
  const onHistoryError = (error: unknown) => log.error('The job history cannot be written and is tried again', error)
  const jobFiles = closers.opened(
    await openJobFiles(root, { onError: (error) => log.warn('The list of the files of a job is cut', error) }),
  )
  const onForgotten = (id: string) => void jobFiles.remove(id)
  const history = closers.opened(await openJobHistory(root, onHistoryError, { reserve, onForgotten }))
  for (const id of await jobFiles.jobs()) if (!(await history.has(id))) await jobFiles.remove(id)
  const tables = await openTableStore(folder, counters)
  const { files, capacity } = fileStores
  const usage = usageByAccount({ accounts, files, tables })
  const limits = { maxFileSize: config.maxFileSize, quotaOf: quotasOf(accounts, config.quota) }
  const stores = { ...fileStores, accounts, sessions, shares, requests, counters, history, jobFiles, tables }
  return {
    ...stores,
    space: new LocalSpace({ ...capacity, usage: usage.of }, limits),
    usage,
    slots: new LocalSlots({ ...config, history, lastSeq: history.lastSeq, clock }),
    peers: null,
    secret: await openSecretKey(root, config.jwtSecret),
    recover: () => recover({ ...stores, keepPartialMs: config.keepPartialMs }),
    begin() {
      checkRestored()
      discarded.sweep()
    },
    storage: localStorageView({ folder, accounts, tables }),
    findFault: await openStorageCheck(folder, capacity),
  }
}
