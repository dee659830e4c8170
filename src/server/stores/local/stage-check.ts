import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isUnreachable } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import type { Space } from '../files.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import { describeFile } from './file-description.js'
import { belowFile, isFolder, spaceFolder } from './file-paths.js'
import type { StageFolders } from './stage-paths.js'
import type { PublishedTrees } from './stage-roll-forward.js'
import { SyncMetadata } from './sync-metadata.js'

/** What the publish of a stage has to respect. */
export interface StageConditions {
  space: Space
  prefix: string
  replace: boolean
  keep: ReadonlySet<string>
  preconditions: readonly (readonly [name: string, precondition: Precondition])[]
}

/** What a publish does to the published files, apart from adding those of the stage. */
export interface StageEffects {
  /** Files that are removed. */
  removed: { name: string; size: number }[]
  /** The topmost folders of which the stage has every file: they are replaced as a whole, by a rename. */
  covered: string[]
}

/**
 * Checks the files of a stage against the published ones. The caller holds the lock of the prefix. Throws `name-conflict`
 * and `precondition-failed`. Synchronous.
 */
export function checkStage(
  { space, prefix, replace, keep, preconditions }: StageConditions,
  stage: StageFolders,
  published: PublishedTrees,
): StageEffects {
  const [staged, there] = [spaceFolder(stage.uploads, space), spaceFolder(published.uploads, space)]
  const metadata = new SyncMetadata(published.meta)
  for (const [name, precondition] of preconditions) {
    const stats = statsOf(join(there, name))
    const current = stats?.isFile() ? describeFile(name, stats, metadata.read(space, name)).file : undefined
    checkPrecondition(current, precondition)
  }
  const removed: StageEffects['removed'] = []
  if (replace) findRemoved(prefix)
  for (const name of keep) {
    if (replace && !statsOf(join(there, name))?.isFile()) throw isGone(name)
  }
  const isRemoved = new Set(removed.map(({ name }) => name))
  const covered: string[] = []
  checkNames('')
  return { removed, covered }

  /** Files that are neither in the stage nor to be kept. */
  function findRemoved(folder: string): void {
    const files = new Set(entriesOf(join(staged, folder)).flatMap((entry) => (entry.isFile() ? entry.name : [])))
    for (const entry of entriesOf(join(there, folder))) {
      const name = folder + entry.name
      if (entry.isDirectory()) findRemoved(`${name}/`)
      else if (!keep.has(name) && !files.has(entry.name)) {
        removed.push({ name, size: Number(statsOf(join(there, name))?.size ?? 0) })
      }
    }
  }

  /** Collects the covered folders below `folder`. Returns whether it is covered itself. */
  function checkNames(folder: string): boolean {
    const current = new Map(entriesOf(join(there, folder)).map((entry) => [entry.name, entry]))
    const below: string[] = []
    let replaced = 0
    for (const entry of entriesOf(join(staged, folder))) {
      const name = folder + entry.name
      const old = current.get(entry.name)
      if (!old) continue
      if (!entry.isDirectory()) {
        if (old.isDirectory() && !(replace && isEmptied(`${name}/`))) throw isFolder(name)
        if (old.isFile()) replaced += 1
      } else if (!old.isDirectory()) {
        if (!isRemoved.has(name)) throw belowFile(firstFileIn(`${name}/`))
      } else if (checkNames(`${name}/`)) {
        below.push(`${name}/`)
        replaced += 1
      }
    }
    if (folder !== '' && replaced === current.size && isLikeNew(folder)) return true
    covered.push(...below)
    return false
  }

  /** Whether nothing of the folder itself is lost if another one takes its place. */
  function isLikeNew(folder: string): boolean {
    const [own, other] = [statsOf(join(there, folder)), statsOf(join(staged, folder))]
    const isAlike = own?.mode === other?.mode && own?.uid === other?.uid && own?.gid === other?.gid
    return isAlike && !metadata.isKept(space, folder)
  }

  function isEmptied(folder: string): boolean {
    return entriesOf(join(there, folder)).every(({ name }) => {
      return (
        isRemoved.has(folder + name) ||
        (statsOf(join(there, folder, name))?.isDirectory() && isEmptied(`${folder}${name}/`))
      )
    })
  }

  function firstFileIn(folder: string): string {
    const [first] = entriesOf(join(staged, folder))
    return first?.isDirectory() ? firstFileIn(`${folder}${first.name}/`) : folder + (first?.name ?? '')
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (isUnreachable(error)) return []
    throw error
  }
}

function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (isUnreachable(error)) return undefined
    throw error
  }
}

function isGone(name: string): Problem {
  return new Problem('precondition-failed', `"${name}" was to stay as it is, but is gone: send it.`, { name })
}
