import { fileFault } from '../../protocol/file-errors.js'
import { Problem } from '../../protocol/problems.js'
import { openClusterBucket, openClusterDatabase } from '../backends/open-cluster.js'
import { systemClock } from '../clock.js'
import { Closers } from '../closers.js'
import type { ClusterConfig } from '../config.js'
import type { Unserved } from '../stores/local/unserved.js'
import { isDatabaseFault } from '../stores/postgres/database-errors.js'
import { beginMigration, finishMigration, migrationNode } from '../stores/postgres/folder-migration.js'
import { openNodeLease } from '../stores/postgres/node-lease.js'
import { replaceState } from '../stores/postgres/replace-state.js'
import { AdoptedFiles } from '../stores/s3/adopted-files.js'
import { AdoptedTables } from '../stores/s3/adopted-tables.js'
import { discardAdoptedUploads } from '../stores/s3/adopted-uploads.js'
import { ContentDigests } from '../stores/s3/content-digests.js'
import { startGarbageCollector } from '../stores/s3/garbage-collector.js'
import { Objects } from '../stores/s3/objects.js'
import { FileMover, type MovedFiles } from './file-mover.js'
import { openSourceFolder, type SourceFolder } from './source-folder.js'
import { type MovedTables, moveTables } from './table-mover.js'
import { type MovedUploads, moveUploads } from './upload-mover.js'

/** What the cluster has of the folder. */
export interface MigrationReport extends MovedFiles, MovedTables, MovedUploads {
  accounts: number
  sessions: number
  shares: number
  jobs: number
  /** What is in the folder, and cannot be moved. */
  leftOut: { unserved: Unserved[] }
  /** Whether servers may start: everything was moved, or what is left out may be missing. */
  isFinished: boolean
}

export interface MigrationOptions {
  dataFolder: string
  cluster: ClusterConfig
  /** Whether the migration is finished although something is left out. */
  mayLeaveOut: boolean
  progress: { begin(totalBytes: number): void; advance(bytes: number): void }
}

/**
 * Makes a database and a bucket what a data folder is, and changes nothing in the folder. May be killed and repeated: what has
 * arrived is not sent again. Throws `busy` while a server uses the folder, `name-conflict` for a database with other data, and
 * `storage-unavailable` if the database or the bucket fails meanwhile.
 */
export async function migrateFolder(options: MigrationOptions): Promise<MigrationReport> {
  const closers = new Closers()
  try {
    return await migrate(options, closers)
  } catch (error) {
    if (error instanceof Problem || fileFault(error) || !isDatabaseFault(error)) throw error
    throw brokenOff(error)
  } finally {
    await closers.closeAll()
  }
}

async function migrate(options: MigrationOptions, closers: Closers): Promise<MigrationReport> {
  const { cluster, mayLeaveOut, progress } = options
  const clock = systemClock
  const source = closers.opened(await openSourceFolder(options.dataFolder))
  const database = await openClusterDatabase(cluster.database, clock)
  closers.add(() => database.end({ timeout: 1 }))
  const bucket = await openClusterBucket(cluster, clock)
  closers.add(async () => bucket.close())
  await database.begin(async (sql) => {
    await beginMigration(sql, source.state.accounts)
    await discardAdoptedUploads(sql)
    await replaceState(sql, source.state)
  })
  const lease = closers.opened(await openNodeLease({ url: cluster.database }, { clock, name: migrationNode }))
  // What it cannot remove is left to the servers.
  const collector = closers.opened(startGarbageCollector(database, { bucket, clock, onError() {} }))
  progress.begin(await totalBytes(source))
  const digests = closers.opened(new ContentDigests())
  const storage = { objects: new Objects(database, { bucket, lease }), digests }
  const files = new AdoptedFiles(database)
  const { advance } = progress
  const mover = new FileMover({ source, storage, adopted: files, advance })
  await mover.moveAll()
  const tables = await moveTables({ source, storage, files, adopted: new AdoptedTables(database), advance })
  const uploads = await moveUploads({ source, database, storage, advance })
  await collector.run()
  const report = reportOf(source, [mover.moved, tables, uploads], mayLeaveOut)
  if (report.isFinished) await finishMigration(database)
  return report
}

function brokenOff(error: Error): Problem {
  const reason = error.message || error.name
  const message = `The database has failed (${reason}). Run it again: what has arrived stays.`
  return new Problem('storage-unavailable', message, {}, { cause: error })
}

async function totalBytes(source: SourceFolder): Promise<number> {
  let total = source.unfinishedUploads.reduce((sum, { offset }) => sum + offset, 0)
  for (const space of source.spaces) {
    total += (await source.count(space)).bytes
    for (const { imports } of await source.tables.list(space)) for (const { bytes } of imports) total += bytes
  }
  return total
}

function reportOf(
  { unserved, state }: SourceFolder,
  [files, tables, uploads]: [MovedFiles, MovedTables, MovedUploads],
  mayLeaveOut: boolean,
): MigrationReport {
  const failed = [...files.failed, ...tables.failed, ...uploads.failed]
  return {
    accounts: state.accounts.length,
    sessions: state.sessions.length,
    shares: state.shares.length,
    jobs: state.jobs.length,
    ...files,
    ...tables,
    ...uploads,
    failed,
    leftOut: { unserved },
    isFinished: failed.length + unserved.length === 0 || mayLeaveOut,
  }
}
