import { lstat, mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { diskFull, isDiskFull } from '../disk-full.js'
import type { StoredFile } from '../files.js'
import type { PublishTarget } from '../partials.js'
import type { AbandonedStage, StagePlan, Stages, StoredStage } from '../stages.js'
import { syncFolder } from './durable-write.js'
import { missingAsUndefined } from './missing.js'
import { LocalStage, type StageServices } from './stage.js'
import { readJournal } from './stage-journal.js'
import { stageFolders, stageIdOf, treesOf } from './stage-paths.js'
import { rollForward } from './stage-roll-forward.js'

/** Stages as folders in `partial/`. */
export class LocalStages implements Stages {
  readonly #services: StageServices
  readonly #open = new Map<string, LocalStage>()

  constructor(services: StageServices) {
    this.#services = services
  }

  async open(plan: StagePlan): Promise<StoredStage> {
    const { partial } = this.#services
    const folders = stageFolders(partial, plan.jobId)
    try {
      await mkdir(folders.root, { mode: 0o700 })
      for (const tree of plan.replace ? treesOf(folders, plan.space, plan.prefix) : [folders.uploads, folders.meta]) {
        await mkdir(tree, { recursive: true, mode: 0o700 })
      }
      await mkdir(folders.removed, { mode: 0o700 })
      await syncFolder(partial)
    } catch (error) {
      throw isDiskFull(error) ? diskFull(error) : error
    }
    const stage = new LocalStage(plan, folders, this.#services)
    this.#open.set(plan.jobId, stage)
    return stage
  }

  /** For a partial whose target names a stage. */
  async receive(path: string, target: PublishTarget & { stage: string }): Promise<StoredFile> {
    const stage = this.#open.get(target.stage)
    if (!stage) throw new Error(`There is no stage ${target.stage}.`)
    return stage.receive(path, target)
  }

  async listAbandoned(): Promise<AbandonedStage[]> {
    const { partial } = this.#services
    const ids = (await readdir(partial)).flatMap((name) => stageIdOf(name) ?? [])
    return Promise.all(
      ids.map(async (id) => {
        const { journal, uploads } = stageFolders(partial, id)
        const decided = readJournal(journal)
        if (!decided) return { id, published: null, ...(await measureTree(uploads)) }
        const { publication: published } = decided
        return { id, published, files: published.files, bytes: published.bytes }
      }),
    )
  }

  async finish(id: string): Promise<void> {
    const { partial, published } = this.#services
    const stage = stageFolders(partial, id)
    const journal = readJournal(stage.journal)
    if (journal) rollForward(journal, stage, published)
    await this.remove(id)
  }

  async remove(id: string): Promise<void> {
    const { partial, discarded } = this.#services
    const { root } = stageFolders(partial, id)
    await discarded.fill((place) => rename(root, join(place, 'stage')).catch(missingAsUndefined))
    await syncFolder(partial)
  }
}

async function measureTree(folder: string): Promise<{ files: number; bytes: number }> {
  const measured = { files: 0, bytes: 0 }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile()) continue
    measured.files += 1
    measured.bytes += (await lstat(join(entry.parentPath, entry.name))).size
  }
  return measured
}
