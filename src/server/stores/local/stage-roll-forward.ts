import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { spaceFolder } from './file-paths.js'
import { TreeMoves } from './merge-trees.js'
import { metadataPath } from './metadata-paths.js'
import type { StageJournal } from './stage-journal.js'
import { type StageFolders, treesOf } from './stage-paths.js'

/** The published files and their metadata. Real paths. */
export interface PublishedTrees {
  uploads: string
  meta: string
}

/**
 * Does what the journal of a stage says. Each step is skipped if it was done before, so that a run after a crash
 * continues where the first one ended. Synchronous.
 */
export function rollForward(journal: StageJournal, stage: StageFolders, published: PublishedTrees): void {
  const moves = new TreeMoves()
  if (journal.isSwap) {
    swap(journal, journal.prefix, '', { stage, published, moves })
    const [uploads] = treesOf(published, journal, journal.prefix)
    moves.removeEmpty(uploads, spaceFolder(published.uploads, journal))
  } else {
    removeFiles(journal, stage, published, moves)
    for (const [index, folder] of (journal.covered ?? []).entries()) {
      const removed = swap(journal, folder, `covered-${index}-`, { stage, published, moves })
      // Files that another program has added since the check.
      moves.addMissing(removed.files, treesOf(published, journal, folder)[0])
    }
    const [from, to] = [treesOf(stage, journal, ''), treesOf(published, journal, '')]
    for (const tree of [0, 1] as const) moves.merge(from[tree], to[tree])
  }
  moves.sync()
}

/**
 * Two renames for the files and two for the metadata, whatever the folder holds. Returns the places of what was there, whose
 * names begin with `label`.
 */
function swap(
  journal: StageJournal,
  folder: string,
  label: string,
  { stage, published, moves }: { stage: StageFolders; published: PublishedTrees; moves: TreeMoves },
): { files: string; metadata: string } {
  const from = treesOf(stage, journal, folder)
  const to = treesOf(published, journal, folder)
  const removed = { files: join(stage.removed, `${label}files`), metadata: join(stage.removed, `${label}metadata`) }
  for (const [tree, place] of [
    [0, removed.files],
    [1, removed.metadata],
  ] as const) {
    // Where the new one has left the stage, the step was done.
    if (!existsSync(from[tree])) continue
    if (!existsSync(place)) moves.move(to[tree], place)
    moves.move(from[tree], to[tree])
  }
  return removed
}

function removeFiles(journal: StageJournal, stage: StageFolders, published: PublishedTrees, moves: TreeMoves): void {
  const top = spaceFolder(published.uploads, journal)
  for (const [index, name] of journal.removed.entries()) {
    const path = join(top, name)
    const removed = join(stage.removed, String(index))
    if (existsSync(removed)) continue
    moves.move(path, removed)
    moves.move(metadataPath(published.meta, journal, name), `${removed}.json`)
    moves.removeEmpty(dirname(path), top)
  }
}
