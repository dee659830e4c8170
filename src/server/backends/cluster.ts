import { hostname } from 'node:os'
import type { JobRecord } from '../../protocol/jobs.js'
import { version } from '../../protocol/version.js'
import type { ClusterConfig } from '../config.js'
import { restoreFiles } from '../folders/restored-tally.js'
import { jobMessage } from '../stores/bus.js'
import { LocalSpace } from '../stores/local/space.js'
import { postgresAccounts } from '../stores/postgres/accounts.js'
import { openPostgresBus } from '../stores/postgres/bus.js'
import { postgresCounters } from '../stores/postgres/counters.js'
import { postgresFileRequests } from '../stores/postgres/file-requests.js'
import { closeMigration } from '../stores/postgres/folder-migration.js'
import { startHistoryLimit } from '../stores/postgres/history-limit.js'
import { postgresJobFiles } from '../stores/postgres/job-files.js'
import { postgresHistory } from '../stores/postgres/job-history.js'
import { answerJobRequests } from '../stores/postgres/job-requests.js'
import { openNodeLease } from '../stores/postgres/node-lease.js'
import { postgresOwners } from '../stores/postgres/owners.js'
import { startReaper } from '../stores/postgres/reaper.js'
import { registeredServers } from '../stores/postgres/registered-servers.js'
import { postgresRemoteJobs } from '../stores/postgres/remote-jobs.js'
import { postgresSessions } from '../stores/postgres/sessions.js'
import { postgresShares } from '../stores/postgres/shares.js'
import { openSigningKey } from '../stores/postgres/signing-key.js'
import type { SlotKey } from '../stores/postgres/slot-key.js'
import { PostgresSlots } from '../stores/postgres/slots.js'
import { PostgresSpace } from '../stores/postgres/space.js'
import { bucketCapacity } from '../stores/s3/capacity.js'
import { ContentDigests } from '../stores/s3/content-digests.js'
import { openBucketFiles } from '../stores/s3/files.js'
import { startGarbageCollector } from '../stores/s3/garbage-collector.js'
import { discardPartials, startInterruptedUploads } from '../stores/s3/interrupted-uploads.js'
import { openScratch } from '../stores/s3/scratch.js'
import { bucketStorageView } from '../stores/s3/storage-view.js'
import { openBucketTables } from '../stores/s3/tables.js'
import { usageInRows } from '../stores/s3/usage.js'
import type { Backend, BackendOptions } from './backend.js'
import { openClusterBucket, openClusterDatabase } from './open-cluster.js'
import { quotasOf } from './quotas.js'
import { usageOf } from './usage.js'

/** Opens the stores that servers share: a database, and a bucket for the bytes. */
export async function openClusterBackend(
  { config, log, clock, closers }: BackendOptions,
  cluster: ClusterConfig,
): Promise<Backend> {
  const address = { url: cluster.database }
  const database = await openClusterDatabase(address.url, clock)
  closers.add(() => database.end({ timeout: 1 }))
  await closeMigration(database)
  const bucket = await openClusterBucket(cluster, clock)
  closers.add(async () => bucket.close())
  const scratch = await openScratch(config.dataFolder)
  closers.add(() => scratch.lock.release())

  const onError = (error: unknown) => log.error('The database cannot be used, and is tried again', error)
  const lease = closers.opened(await openNodeLease(address, { clock, name: hostname(), version: version(), onError }))
  const bus = closers.opened(await openPostgresBus(address, { lease, clock }))
  const closed = new AbortController()
  const closing = closed.signal
  closers.add(async () => closed.abort())
  const { jobsPerAccount, quota, maxFileSize } = config
  const slots = new PostgresSlots(database, { lease, bus, jobsPerAccount, clock, closing, onError })
  const grant = (key: SlotKey) => slots.grant(key)
  // To this server, too.
  const onRecord = (record: JobRecord, accountId: number) => {
    for (const to of [lease.id, 'all'] as const) bus.tell(to, jobMessage(record, accountId))
  }
  const onListCut = (error: unknown) => log.warn('The list of the files of a job is cut', error)
  const jobFiles = closers.opened(postgresJobFiles(database, { clock, onError: onListCut }))
  const restore = (job: JobRecord) => restoreFiles(job, jobFiles)
  const reaper = closers.opened(
    startReaper(database, { lease, clock, grant, restoreFiles: restore, discardPartials, onRecord, onError }),
  )
  const keepMs = config.keepPartialMs
  closers.opened(startInterruptedUploads(database, { keepMs, clock, onRecord, onError }))
  closers.opened(startHistoryLimit(database, { clock, onError }))
  const onBucketError = (error: unknown) => log.error('Garbage in the bucket cannot be removed yet', error)
  closers.opened(startGarbageCollector(database, { bucket, clock, onError: onBucketError }))

  const now = () => clock.now()
  const onUsesLost = (error: unknown) =>
    log.warn('When sessions were last used could not be written; it is lost', error)
  const sessions = closers.opened(postgresSessions(database, { now, onUsesLost }))
  const history = closers.opened(postgresHistory(database, { lease, clock, closing, onError }))
  const digests = closers.opened(new ContentDigests())
  const { tableCacheBytes: cacheBytes, scratchBytes } = config
  const ofFiles = { bucket, lease, digests, scratch: scratch.folder, scratchBytes }
  const fileStores = closers.opened(openBucketFiles(database, ofFiles))
  const tables = await openBucketTables(database, { bucket, lease, digests, scratch: scratch.folder, cacheBytes })
  const usage = { of: usageOf({ ...fileStores, tables }), all: usageInRows(database) }
  const accounts = postgresAccounts(database)
  const capacity = bucketCapacity
  const disk = new LocalSpace({ ...capacity, usage: usage.of }, { maxFileSize, quotaOf: async () => null })
  const ofSpace = { lease, quotaOf: quotasOf(accounts, quota), usage: usage.of, disk, clock, closing, onError }
  return {
    accounts,
    sessions,
    shares: postgresShares(database, { lease, now, clock, closing, onError }),
    requests: postgresFileRequests(database, { now, clock, closing, onError }),
    counters: postgresCounters(database),
    ...fileStores,
    capacity,
    space: new PostgresSpace(database, ofSpace),
    usage,
    history,
    jobFiles,
    slots,
    tables,
    peers: {
      jobs: postgresRemoteJobs(database, { lease, bus, clock }),
      bus,
      owners: postgresOwners(database, { lease }),
      count: () => lease.servers,
      list: () => registeredServers(database, lease),
      announce: (address) => lease.announce(address),
      serve: (own) => answerJobRequests(database, own, { lease, bus, clock, closing, onError }),
      onHold: (listener) => void lease.onHold(listener),
    },
    secret: await openSigningKey(database, config.jwtSecret),
    // What servers leave is taken over by others while these run; of one that was killed here, before a request can meet it.
    async recover() {
      await reaper.run()
      return []
    },
    begin() {},
    storage: bucketStorageView(database, bucket, scratch.folder),
    findFault: async () => (lease.isHeld ? 'database not answering' : null),
  }
}
