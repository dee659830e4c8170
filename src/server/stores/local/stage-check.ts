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

/**
 * Checks the files of a stage against the published ones, and returns the files that it removes. The caller holds the lock
 * of the prefix. Throws `name-conflict` and `precondition-failed`. Synchronous.
 */
export function checkStage(
  { space, prefix, replace, keep, preconditions }: StageConditions,
  stage: StageFolders,
  published: PublishedTrees,
): { name: string; size: number }[] {
  const [staged, there] = [spaceFolder(stage.uploads, space), spaceFolder(published.uploads, space)]
  const metadata = new SyncMetadata(published.meta)
  for (const [name, precondition] of preconditions) {
    const stats = statsOf(join(there, name))
    const current = stats?.isFile() ? describeFile(name, stats, metadata.read(space, name)).file : undefined
    checkPrecondition(current, precondition)
  }
  const removed: { name: string; size: number }[] = []
  if (replace) findRemoved(prefix)
  for (const name of keep) {
    if (replace && !statsOf(join(there, name))?.isFile()) throw isGone(name)
  }
  const isRemoved = new Set(removed.map(({ name }) => name))
  checkNames('')
  return removed

  /** Files that are neither in the stage nor to be kept. */
  function findRemoved(folder: string): void {
    for (const entry of entriesOf(join(there, folder))) {
      const name = folder + entry.name
      if (entry.isDirectory()) findRemoved(`${name}/`)
      else if (!keep.has(name) && !statsOf(join(staged, name))?.isFile()) {
        removed.push({ name, size: Number(statsOf(join(there, name))?.size ?? 0) })
      }
    }
  }

  function checkNames(folder: string): void {
    for (const entry of entriesOf(join(staged, folder))) {
      const name = folder + entry.name
      const current = statsOf(join(there, name))
      if (entry.isDirectory()) {
        if (current && !current.isDirectory() && !isRemoved.has(name)) throw belowFile(firstFileIn(`${name}/`))
        if (current?.isDirectory()) checkNames(`${name}/`)
      } else if (current?.isDirectory() && !(replace && isEmptied(`${name}/`))) throw isFolder(name)
    }
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
