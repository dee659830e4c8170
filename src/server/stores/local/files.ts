import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Capacity } from '../capacity.js'
import type { FileStores } from '../file-stores.js'
import { localCapacity } from './capacity.js'
import { openDigests } from './digests.js'
import { DiscardedFolders } from './discarded-folders.js'
import { type DiskReserve, noReserve } from './disk-reserve.js'
import { FileLocks } from './file-locks.js'
import { FileLookup } from './file-lookup.js'
import { FileMetadata } from './file-metadata.js'
import { rememberFolder } from './folder-identity.js'
import { FolderRenames } from './folder-renames.js'
import { LocalFolders } from './folders.js'
import { openListing } from './listing.js'
import { LocalPartials } from './partials.js'
import { LocalPublishedFiles } from './published-files.js'
import { Publishing } from './publishing.js'
import { RestoredFiles } from './restored-files.js'
import { LocalSmallFiles } from './small-files.js'
import { openSmallReads } from './small-reads.js'
import { LocalStages } from './stages.js'
import type { Damage } from './verification.js'

export interface LocalFiles extends FileStores {
  capacity: Capacity
  /** Compares restored files with their digests, in the background. What is known of all files then is kept for the next start. */
  checkRestored(): void
  /** Removed folders whose bytes are still on the disk. */
  discarded: Pick<DiscardedFolders, 'list' | 'sweep' | 'idle'>
  close(): Promise<void>
}

export interface LocalFilesOptions {
  /** Called once for each restored file whose bytes are not those that were stored. */
  onDamage?: (damage: Damage) => void
  /** Called with the errors of work in the background: a restored file, or a removed folder. */
  onError?: (error: unknown) => void
  /** For removals on a full disk; default none. */
  reserve?: Pick<DiskReserve, 'use' | 'missingBytes'>
  /** Up to this size a restored file is hashed before the response; default 256 MiB, a fifth of a second. */
  readAtOnceBytes?: number
}

/** Files as plain files below `uploads/`, partials in `partial/`, metadata in `meta/` of the data folder. */
export async function openLocalFiles(
  dataFolder: string,
  {
    onDamage = () => {},
    onError = () => {},
    reserve = noReserve,
    readAtOnceBytes = 256 * 1024 ** 2,
  }: LocalFilesOptions = {},
): Promise<LocalFiles> {
  const folder = async (name: string) => {
    await mkdir(join(dataFolder, name), { recursive: true, mode: 0o700 })
    return realpath(join(dataFolder, name))
  }
  const root = await folder('uploads')
  const partialFolder = await folder('partial')
  const metaFolder = await folder('meta')
  const bases = { uploads: root, partial: partialFolder, meta: metaFolder }
  const renames = new FolderRenames(join(metaFolder, 'renames'), bases)
  await renames.recover()
  const checkFolder = await rememberFolder(root)
  const metadata = new FileMetadata(metaFolder)
  const listing = openListing({ uploads: root, meta: metaFolder })
  const smallReads = openSmallReads()
  const digests = openDigests()
  const locks = new FileLocks()
  const lookup = new FileLookup({ root, metadata, locks, digests, checkFolder, onDamage, readAtOnceBytes })
  const publishing = new Publishing({ root, metadata, locks, lookup, checkFolder })
  const restored = new RestoredFiles({ uploads: root, listing, verification: lookup.verification, onError })
  const discarded = new DiscardedFolders({
    folder: partialFolder,
    removeTree: (path) => listing.removeTree(path),
    onError,
  })
  const services = {
    root,
    metadata,
    locks,
    lookup,
    publishing,
    listing,
    smallReads,
    restored,
    reserve,
    checkFolder,
    renames,
    discarded,
  }
  const digestsFile = join(dataFolder, 'known-digests')
  // Only lists wait for it. If the thread ends, they do not need it.
  listing.recallDigests(digestsFile).catch(() => {})
  const keepDigests = () => listing.keepDigests(digestsFile).catch(() => {})
  let isServing = false
  const files = new LocalPublishedFiles(services)
  const smallFiles = new LocalSmallFiles({ folders: bases, locks, checkFolder })
  const stages = new LocalStages({
    ...{ locks, lookup, smallFiles, discarded, checkFolder, published: bases, partial: partialFolder },
    checkName: (space, name) => files.checkName(space, name),
  })
  const partials = new LocalPartials({ folder: partialFolder, digests, publishing: publishingOf(publishing, stages) })
  return {
    files,
    folders: new LocalFolders(services),
    partials,
    smallFiles,
    stages,
    capacity: localCapacity({
      folder: partialFolder,
      reserve,
      checkFolder,
      closed: async () => {
        await Promise.all([partials.closed(), discarded.idle()])
      },
    }),
    discarded,
    checkRestored() {
      isServing = true
      void restored.checkAll().then(keepDigests)
    },
    async close() {
      await restored.close()
      if (isServing) await keepDigests()
      await Promise.all([listing.close(), smallReads.close(), digests.close(), smallFiles.close(), partials.close()])
    },
  }
}

/** Publishes a partial, or moves it into the stage that its target names. */
function publishingOf(publishing: Publishing, stages: LocalStages): Pick<Publishing, 'publish'> {
  return {
    async publish(path, target) {
      const { stage } = target
      if (stage === undefined) return publishing.publish(path, target)
      return { file: await stages.receive(path, { ...target, stage }), created: true }
    },
  }
}
