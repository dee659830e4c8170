import { fileURLToPath } from 'node:url'
import { version } from '../protocol/version.js'
import { createApp } from './app.js'
import { openExports } from './archives/open-exports.js'
import { accessCheck } from './auth/access-check.js'
import { Administration } from './auth/administration.js'
import { auditLogins } from './auth/audit-logins.js'
import { Authentication } from './auth/authentication.js'
import { createFirstAdmin } from './auth/first-admin.js'
import { Invitations } from './auth/invitations.js'
import { LoginLimiter } from './auth/login-limiter.js'
import { openPasswords } from './auth/passwords.js'
import { signupBudget } from './auth/signup-budget.js'
import { TokenPairs } from './auth/token-pairs.js'
import { openTokens } from './auth/tokens.js'
import { importUsers } from './auth/users-file.js'
import { rememberVerified } from './auth/verified-tokens.js'
import { openBackend } from './backends/open-backend.js'
import { type Clock, systemClock } from './clock.js'
import { Closers } from './closers.js'
import type { ServerConfig } from './config.js'
import { endJobs } from './end-jobs.js'
import { FolderJobs } from './folders/folder-jobs.js'
import { stageOpener } from './folders/staged-files.js'
import type { Mount } from './http/mounted-listener.js'
import { AccountThrottles } from './jobs/account-throttles.js'
import type { Job } from './jobs/job.js'
import { jobLog } from './jobs/job-log.js'
import { Jobs } from './jobs/jobs.js'
import { limitPauses } from './jobs/pause-limit.js'
import type { Log } from './log.js'
import { openMetrics } from './metrics.js'
import { openListeners } from './open-listeners.js'
import { RecentLog } from './operator/recent-log.js'
import { openOperatorServices } from './operator/server-view.js'
import { ownAddress } from './own-address.js'
import { openPeerLink } from './peer-link.js'
import type { ProcessServices } from './process-services.js'
import { openDashboard } from './routes/responses/dashboard-files.js'
import { mediaTypeOf } from './stores/local/file-description.js'
import { openTables } from './tables/open-tables.js'
import { TarUploads } from './tars/tar-uploads.js'
import { FileRequests } from './transfers/file-requests.js'
import { LinkPasswords } from './transfers/link-passwords.js'
import { RecentStops } from './transfers/recent-stops.js'
import { ResumableUploads } from './transfers/resumable.js'
import { Shares } from './transfers/shares.js'
import type { UploadServices } from './transfers/upload-services.js'
import { Uploads } from './transfers/uploads.js'

export interface RunningServer {
  url: string
  /** Of a mounted server 0 while the other one does not listen. */
  port: number
  /** Where plain requests are redirected to `url`; null: nowhere. */
  redirectUrl: string | null
  /** The random password of `admin:admin`, if this start has created the account: to be shown once. */
  firstAdminPassword: string | null
  /** Reads the certificate and its key again, and logs whether others are used from now on. */
  renewTls(): void
  /**
   * Accepts no new work, lets running transfers finish for `shutdownGraceMs`, then stops them and releases the folder.
   */
  close(): Promise<void>
}

export interface StartOptions {
  /** Default: the system's. */
  clock?: Clock | undefined
  /** Default: none of the figures of a process, and garbage is left to V8. */
  process?: ProcessServices | undefined
  /** In place of a port of its own. */
  mount?: Mount | undefined
}

/** Where the build puts it: beside the server. */
const dashboardFolder = fileURLToPath(new URL('../dashboard', import.meta.url))

/**
 * Opens the stores and services, listens, and returns once requests are answered. Everything is closed with the server,
 * in reverse order, also if the start fails.
 */
export async function startServer(
  config: ServerConfig,
  fullLog: Log,
  { clock = systemClock, process, mount }: StartOptions = {},
): Promise<RunningServer> {
  const recentLog = new RecentLog({ clock })
  const log = recentLog.keeping(fullLog)
  const closers = new Closers()
  try {
    const stores = await openBackend({ config, log, clock, closers })
    const {
      accounts,
      sessions,
      counters,
      files,
      partials,
      stages,
      capacity,
      space,
      history,
      jobFiles,
      tables,
      secret,
    } = stores
    const kept = await stores.recover()

    const passwords = closers.opened(openPasswords({ cost: config.bcryptCost }))
    const onCleanUpError = (job: Job, error: unknown) => {
      log.error(`What the ${job.kind} ${job.id} left could not be removed`, error)
    }
    const link = closers.opened(openPeerLink(stores.peers, { history, clock, log }))
    const jobs = new Jobs(history, { slots: stores.slots, clock, remote: link.remote, onCleanUpError })
    jobs.observe(jobLog(log))
    limitPauses(jobs, config.maxPauseMs, clock)
    const feed = link.openFeed(jobs)
    const metrics = closers.opened(
      openMetrics({
        jobs,
        partials,
        capacity,
        usage: stores.usage,
        clock,
        version: version(),
        ofProcess: process?.metrics,
      }),
    )
    const tokens = rememberVerified(await openTokens(secret, clock), clock)
    const limiter = new LoginLimiter({ clock, servers: link.servers, onCount: (counted) => link.tell({ counted }) })
    const authentication = new Authentication({
      clock,
      accounts,
      sessions,
      passwords,
      tokens,
      limiter,
      signups: signupBudget(clock, link),
      signupRoles: config.signupRoles,
      sessionTtlMs: config.sessionTtlMs,
      ...auditLogins(log, (code) => metrics.countRefusedLogin(code)),
      onEnded: (ended) => link.tell({ ended }),
      onRenewalFailed: (error) => log.warn('A password hash could not be renewed', error),
    })
    if (config.usersFile !== null) await importUsers(config.usersFile, { accounts, passwords })

    const linkServices = {
      ...{ clock, accounts, files, jobs, secret },
      passwords: new LinkPasswords({ clock, passwords, limiter, secret }),
      onFailure: (error: unknown) => log.warn('The use of a link could not be counted', error),
    }
    const shares = new Shares({
      ...linkServices,
      shares: stores.shares,
      folders: stores.folders,
      onRevoked: (revoked) => link.tell({ revoked }),
    })
    const requests = new FileRequests({ ...linkServices, requests: stores.requests })
    const administration = new Administration({
      accounts,
      sessions,
      usage: stores.usage,
      history,
      quota: config.quota,
      passwords,
      authentication,
      stopAccountJobs: (account, by) => jobs.stopAllOf(account.id, by),
      async removeAccountData(account, by) {
        await shares.revokeAll(account, by)
        await requests.removeAll(account)
        await files.removeSpace(account)
        await tables.removeSpace(account)
      },
    })
    const throttles = new AccountThrottles(config.rateLimitPerAccount, clock)
    const throttleOf = (account: string) => throttles.of(account)
    const checkAccess = accessCheck(accounts)
    const folders = new FolderJobs({
      jobs,
      clock,
      checkAccess,
      lists: jobFiles,
      ...config,
      ...keepLimits,
      onCleanUpError,
      openStage: stageOpener({ stages, space, files }),
    })
    const uploadServices: UploadServices = {
      clock,
      files,
      partials,
      capacity,
      jobs,
      folders,
      throttleOf,
      space,
      requests,
      idleTimeoutMs: config.idleTimeoutMs,
      collectYoung: process?.collectYoung,
      checkAccess,
    }
    const uploads = new Uploads(uploadServices)
    const resumable = new ResumableUploads({
      ...uploadServices,
      ...config,
      memory: uploads.memory,
      remote: link.remote,
      ...keepLimits,
      onFailure: (error) => log.error('A resumable upload failed', error),
    })
    await resumable.restore(kept)
    const tars = new TarUploads({
      ...uploadServices,
      folders,
      folderStore: stores.folders,
      smallFiles: stores.smallFiles,
      memory: uploads.memory,
      mediaTypeOf,
    })
    const stoppedExports = new RecentStops({
      clock,
      findRecord: async (id) => (await jobs.findEnded(id))?.job,
      tell: (message) => link.tell(message),
    })
    const exportServices = {
      stopped: stoppedExports,
      jobs,
      folders,
      clock,
      throttleOf,
      idleTimeoutMs: config.idleTimeoutMs,
      onFailure: (error: unknown) => log.error('An export failed', error),
    }
    const tableServices = { ...exportServices, files, tables, counters, space, log, checkAccess, ...config }
    let ready = true
    const findFault = async () => (ready ? stores.findFault() : 'shutting down')
    const app = createApp({
      ...openOperatorServices({ config, ...stores, clock, version: version(), findFault }),
      recentLog,
      config,
      log,
      dashboard: await openDashboard(dashboardFolder),
      version: version(),
      metrics,
      accounts,
      authentication,
      tokenPairs: new TokenPairs({ clock, authentication, sessions, tokens }),
      administration,
      invitations: new Invitations({ clock, accounts, passwords, authentication }),
      files,
      folderStore: stores.folders,
      space,
      jobs,
      owners: stores.peers?.owners ?? null,
      remote: link.remote,
      folders,
      jobFiles,
      feed,
      uploads,
      tars,
      resumable,
      ...openExports({ ...exportServices, files }),
      shares,
      requests,
      tables,
      ...openTables(tableServices, closers),
      mediaTypeOf,
      findFault,
    })
    await link.join({ jobs, resumable, authentication, shares, stoppedExports, throttles })
    stores.begin()
    const { refuseMore, ...listeners } = await openListeners({ config, log, closers, fetch: app.fetch as never, mount })
    await stores.peers?.announce(config.cluster?.advertise ?? ownAddress(listeners.url))
    // Last, because the generated password of a start that then fails would be lost.
    const firstAdminPassword = await createFirstAdmin({ accounts, passwords }, config.adminPassword)

    return {
      ...listeners,
      firstAdminPassword,
      async close() {
        ready = false
        refuseMore()
        feed.close()
        recentLog.close()
        closers.add(() => endJobs({ jobs, resumable, folders }, config.shutdownGraceMs))
        const [failure, ...more] = await closers.closeAll()
        for (const error of more) log.error('The server could not be closed in good order', error)
        if (failure !== undefined) throw failure
      },
    }
  } catch (error) {
    await closers.closeAll()
    throw error
  }
}

/** How long a resumable upload keeps its slot after its last byte, and how long one without bytes is kept. */
const keepLimits = { keepSlotMs: 30_000, keepWantedSlotMs: 1_000, keepUnusedMs: 600_000 }
