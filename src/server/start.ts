import { fileURLToPath } from 'node:url'
import { Problem } from '../protocol/problems.js'
import { version } from '../protocol/version.js'
import { createApp } from './app.js'
import { Administration } from './auth/administration.js'
import { Authentication } from './auth/authentication.js'
import { createFirstAdmin } from './auth/first-admin.js'
import { LoginLimiter } from './auth/login-limiter.js'
import { openPasswords } from './auth/passwords.js'
import { TokenPairs } from './auth/token-pairs.js'
import { openTokens } from './auth/tokens.js'
import { importUsers } from './auth/users-file.js'
import type { ServerConfig } from './config.js'
import { openDashboard } from './http/dashboard-files.js'
import { openListener } from './http/listener.js'
import { JobFeed } from './jobs/feed.js'
import { jobLog } from './jobs/job-log.js'
import { Jobs } from './jobs/jobs.js'
import { limitPauses } from './jobs/pause-limit.js'
import { Throttle } from './jobs/throttle.js'
import type { Log } from './log.js'
import { openMetrics } from './metrics.js'
import { recover } from './recover.js'
import { openAccountStore } from './stores/local/accounts.js'
import { openCounters } from './stores/local/counters.js'
import { openDataFolder } from './stores/local/data-folder.js'
import { lockDataFolder } from './stores/local/data-lock.js'
import { mediaTypeOf } from './stores/local/file-metadata.js'
import { openFileStore } from './stores/local/files.js'
import { openJobHistory } from './stores/local/job-history.js'
import { openSecretKey } from './stores/local/secret-key.js'
import { openSessionStore } from './stores/local/sessions.js'
import { openShareStore } from './stores/local/shares.js'
import { openTableStore } from './stores/local/tables.js'
import { Collections } from './tables/collections.js'
import { Imports } from './tables/imports.js'
import { Queries } from './tables/queries.js'
import { RowsEngine } from './tables/rows-engine.js'
import { TableExports } from './tables/table-exports.js'
import { TableRows } from './tables/table-rows.js'
import { TableSummaries } from './tables/table-summaries.js'
import { Exports } from './transfers/exports.js'
import { ResumableUploads } from './transfers/resumable.js'
import { Shares } from './transfers/shares.js'
import { SpaceReservations, type StoredBytes } from './transfers/space.js'
import { type UploadServices, Uploads } from './transfers/uploads.js'

export interface RunningServer {
  url: string
  /** The random password of `admin:admin`, where this start has made the account: to be shown once. */
  firstAdminPassword: string | null
  /** Takes no new work, lets running transfers finish for `shutdownGraceMs`, then ends them and gives the folder free. */
  close(): Promise<void>
}

/** Where the build puts it: beside the server. */
const dashboardFolder = fileURLToPath(new URL('../dashboard', import.meta.url))

/** Opens everything, listens, and returns once requests are answered: the only place that opens, listens and closes. */
export async function startServer(config: ServerConfig, log: Log): Promise<RunningServer> {
  const closers: (() => Promise<unknown>)[] = []
  /** In the opposite order. One that fails keeps none of the others open, least of all the lock of the folder. */
  const closeAll = async () => {
    const failures: unknown[] = []
    for (const close of closers.splice(0).reverse()) await close().catch((error) => failures.push(error))
    return failures
  }
  try {
    const folder = await openDataFolder(config.dataFolder)
    const lock = await lockDataFolder(folder.root)
    closers.push(() => lock.release())
    const counters = await openCounters(folder.root)
    closers.push(() => counters.close())
    const accounts = await openAccountStore(folder.root, counters)
    closers.push(() => accounts.close())
    const sessions = await openSessionStore(folder.root, {
      onUsesLost: (error) => log.warn('When sessions were last used could not be written; it is lost', error),
    })
    closers.push(() => sessions.close())
    const passwords = openPasswords({ cost: config.bcryptCost })
    closers.push(() => passwords.close())
    const files = await openFileStore(folder.root)
    closers.push(() => files.close())
    const shareStore = await openShareStore(folder.root)
    closers.push(() => shareStore.close())
    const history = await openJobHistory(folder.root, (error) => log.error('The job history cannot be written', error))
    closers.push(() => history.close())
    const tables = await openTableStore(folder, counters)
    const kept = await recover({ files, history, accounts, tables, keepPartialMs: config.keepPartialMs })

    const jobs = new Jobs(history, config)
    jobs.observe(jobLog(log))
    limitPauses(jobs, config.maxPauseMs)
    const feed = new JobFeed(jobs)
    const metrics = openMetrics({ jobs, files, version: version() })
    closers.push(() => metrics.close())
    const secret = await openSecretKey(folder.root, config.jwtSecret)
    const tokens = await openTokens(secret)
    const authentication = new Authentication({
      accounts,
      sessions,
      passwords,
      tokens,
      limiter: new LoginLimiter(),
      signupRoles: config.signupRoles,
      sessionTtlMs: config.sessionTtlMs,
      onRefused: (code) => metrics.countRefusedLogin(code),
    })
    if (config.usersFile !== null) await importUsers(config.usersFile, { accounts, passwords })

    const shares = new Shares({ shares: shareStore, accounts, files, jobs, secret })
    const administration = new Administration({
      accounts,
      passwords,
      authentication,
      async stopAccountJobs(account, by) {
        const own = jobs.unfinished().filter((job) => job.accountId === account.id)
        // One that is done by now, and so too late to stop, is ended all the same.
        await Promise.allSettled(own.map((job) => job.stop(by)))
      },
      async removeAccountData(account, by) {
        await shares.revokeAll(account, by)
        await files.removeSpace(account)
        await tables.removeSpace(account)
      },
    })
    const throttles = new Map<string, Throttle>()
    const throttleOf = (account: string) => {
      const throttle = throttles.get(account) ?? new Throttle(config.rateLimitPerAccount)
      throttles.set(account, throttle)
      return throttle
    }
    const checkAccess = async (accountId: number) => {
      const account = await accounts.get(accountId)
      if (!account || account.disabled) throw new Problem('not-allowed', 'The account was disabled meanwhile.')
    }
    const stored: StoredBytes = {
      usage: async (space) => (await files.usage(space)) + (await tables.usage(space)),
      freeBytes: () => files.freeBytes(),
    }
    const space = new SpaceReservations(stored, config)
    const uploadServices: UploadServices = {
      files,
      jobs,
      throttleOf,
      space,
      idleTimeoutMs: config.idleTimeoutMs,
      checkAccess,
    }
    const uploads = new Uploads(uploadServices)
    const resumable = new ResumableUploads({
      ...uploadServices,
      ...config,
      memory: uploads.memory,
      keepSlotMs,
      onFailure: (error) => log.error('A resumable upload failed', error),
    })
    await resumable.restore(kept)
    const exportServices = {
      jobs,
      throttleOf,
      idleTimeoutMs: config.idleTimeoutMs,
      onFailure: (error: unknown) => log.error('An export failed', error),
    }
    const rowsEngine = new RowsEngine(tables.folder)
    closers.push(() => rowsEngine.close())
    const tableRows = new TableRows(rowsEngine)
    const imports = new Imports({ files, tables, jobs, space, log, checkAccess, ...config })
    let ready = true
    const app = createApp({
      config,
      log,
      dashboard: await openDashboard(dashboardFolder),
      version: version(),
      metrics,
      accounts,
      authentication,
      tokenPairs: new TokenPairs({ authentication, tokens }),
      administration,
      files,
      jobs,
      feed,
      uploads,
      resumable,
      exports: new Exports(exportServices),
      shares,
      tables,
      imports,
      collections: new Collections({ files, tables, imports, jobs, counters }),
      tableRows,
      tableSummaries: new TableSummaries(rowsEngine),
      tableExports: new TableExports({ ...exportServices, rows: tableRows }),
      queries: new Queries({ jobs, tables }),
      mediaTypeOf,
      isReady: () => ready,
    })
    const listener = await openListener({ ...config, fetch: app.fetch as never })
    closers.push(() => listener.close())
    // Last, because a password that is drawn for a start that then fails would be lost.
    const firstAdminPassword = await createFirstAdmin({ accounts, passwords }, config.adminPassword)

    return {
      url: `${config.tls ? 'https' : 'http'}://${urlHost(config.host)}:${listener.port}`,
      firstAdminPassword,
      async close() {
        ready = false
        listener.refuseMore()
        feed.close()
        closers.push(() => endJobs(jobs, resumable, config.shutdownGraceMs))
        const [failure, ...more] = await closeAll()
        for (const error of more) log.error('The server could not be closed in good order', error)
        if (failure !== undefined) throw failure
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** How long an upload by pieces keeps its slot after its last byte, so that its sender can come back. */
const keepSlotMs = 30_000

/** Waiting jobs end at once, resumable uploads are kept, the others end when they are done or the grace is over. */
async function endJobs(jobs: Jobs, resumable: ResumableUploads, graceMs: number): Promise<void> {
  const reason = new Problem('shutting-down', 'The server is shutting down: try again when it is back.')
  jobs.close(reason)
  const unfinished = jobs.unfinished().filter((job) => !resumable.owns(job))
  const kept = resumable.close(reason)
  let timer: NodeJS.Timeout | undefined
  const graceOver = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([Promise.all([kept, ...unfinished.map((job) => job.ended)]), graceOver])
  clearTimeout(timer)
  for (const job of unfinished) if (!job.isEnded) job.abort(reason)
  await Promise.all(unfinished.map((job) => job.ended))
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
