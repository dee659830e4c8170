import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Publication } from '../../../protocol/folder-jobs.js'
import type { Space, StoredFile } from '../files.js'
import type { PartialFile, PublishedPartial, PublishTarget } from '../partials.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import type { NewFile, NewFileResult } from '../small-files.js'
import type { StagePlan, StoredStage } from '../stages.js'
import type { DiscardedFolders } from './discarded-folders.js'
import { syncFolder } from './durable-write.js'
import { FileLocks } from './file-locks.js'
import type { FileLookup } from './file-lookup.js'
import { FileMetadata } from './file-metadata.js'
import { makeFolders } from './file-paths.js'
import { Publishing } from './publishing.js'
import type { LocalSmallFiles } from './small-files.js'
import { readJournal } from './stage-journal.js'
import type { StageFolders } from './stage-paths.js'
import { publishInThread } from './stage-publish.js'
import { type PublishedTrees, rollForward } from './stage-roll-forward.js'

export interface StageServices {
  /** The folder of the partials. */
  partial: string
  published: PublishedTrees
  locks: FileLocks
  lookup: FileLookup
  smallFiles: LocalSmallFiles
  discarded: DiscardedFolders
  /** Throws `name-conflict`. */
  checkName(space: Space, name: string): Promise<void>
  /** Throws `storage-unavailable` if the folder of the files is missing. */
  checkFolder(): Promise<void>
}

/** A folder in `partial/` with the files of a job as they will be published. */
export class LocalStage implements StoredStage {
  readonly #plan: StagePlan
  readonly #folders: StageFolders
  readonly #services: StageServices
  /** Names in the stage: two streams may send the same one. */
  readonly #locks = new FileLocks()
  readonly #publishing: Publishing
  readonly #sizes = new Map<string, number>()
  readonly #preconditions = new Map<string, Precondition>()
  readonly #kept = new Set<string>()
  #bytes = 0
  #hasEnded = false
  #isPublished = false

  constructor(plan: StagePlan, folders: StageFolders, services: StageServices) {
    this.#plan = plan
    this.#folders = folders
    this.#services = services
    const { lookup, checkFolder } = services
    const metadata = new FileMetadata(folders.meta)
    this.#publishing = new Publishing({ root: folders.uploads, metadata, locks: this.#locks, lookup, checkFolder })
  }

  get bytes(): number {
    return this.#bytes
  }

  async add(partial: PartialFile, target: PublishTarget): Promise<PublishedPartial> {
    const created = !(await this.#check(target.name, target.precondition))
    const { file } = await partial.publish({ ...target, stage: this.#plan.jobId })
    this.#count(target.name, file.size, target.precondition)
    return { file, created }
  }

  /** Moves the bytes of a partial into the stage. */
  receive(path: string, { name, sha256, type }: PublishTarget): Promise<StoredFile> {
    const { space } = this.#plan
    return this.#locks.hold(space, name, () => this.#publishing.moveIntoPlace(path, space, name, { sha256, type }))
  }

  async addSmall(files: readonly NewFile[]): Promise<NewFileResult[]> {
    const { space } = this.#plan
    const results = await this.#services.smallFiles.publishInto(this.#folders, this.#locks, space, files)
    for (const [index, { name, precondition }] of files.entries()) {
      const result = results[index]!
      if (result.status !== 'failed') this.#count(name, result.file.size, precondition)
    }
    return results
  }

  async addFolder(folder: string): Promise<void> {
    const { space } = this.#plan
    const { uploads, meta } = this.#folders
    await this.#locks.holdAll(space, [folder], async () => {
      // As for a file in it.
      await makeFolders(uploads, space, `${folder}file`)
      await new FileMetadata(meta).keepFolder(space, folder)
    })
  }

  keep(names: readonly string[]): void {
    for (const name of names) this.#kept.add(name)
  }

  async publish(commit: (removed: number) => Publication): Promise<{ removed: { name: string; size: number }[] }> {
    const { locks, checkFolder } = this.#services
    const { space, prefix } = this.#plan
    return locks.holdAll(space, [prefix], async () => {
      await checkFolder()
      const removed = await this.#publish(commit)
      this.#hasEnded = true
      this.#isPublished = true
      return { removed }
    })
  }

  async forget(): Promise<void> {
    if (this.#isPublished) await this.#removeFolder()
  }

  async discard(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    await this.#removeFolder()
  }

  async #publish(commit: (removed: number) => Publication): Promise<{ name: string; size: number }[]> {
    const { published } = this.#services
    const { space, prefix, replace } = this.#plan
    const { role, username } = space
    const preconditions = [...this.#preconditions]
    const conditions = { space: { role, username }, prefix, replace, keep: this.#kept, preconditions }
    const stage = this.#folders
    try {
      return await publishInThread({ conditions, stage, published }, commit)
    } catch (error) {
      const journal = readJournal(stage.journal)
      if (!journal) throw error
      // It is decided: what cannot be finished now is finished by the next start.
      this.#hasEnded = true
      rollForward(journal, stage, published)
      return journal.removed.map((name) => ({ name, size: 0 }))
    }
  }

  /** Whether the publish will replace a file. */
  async #check(name: string, precondition: Precondition | undefined): Promise<boolean> {
    const { lookup, checkName } = this.#services
    const { space, replace } = this.#plan
    if (!replace) await checkName(space, name)
    const there = (await lookup.look(space, name))?.file
    checkPrecondition(there, precondition)
    return there !== undefined
  }

  #count(name: string, size: number, precondition: Precondition | undefined): void {
    this.#bytes += size - (this.#sizes.get(name) ?? 0)
    this.#sizes.set(name, size)
    if (precondition && Object.keys(precondition).length > 0) this.#preconditions.set(name, precondition)
  }

  async #removeFolder(): Promise<void> {
    const { discarded, partial } = this.#services
    await discarded.fill((place) => rename(this.#folders.root, join(place, 'stage')))
    await syncFolder(partial)
  }
}
