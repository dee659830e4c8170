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
  if (journal.isSwap) swap(journal, stage, published, moves)
  else {
    removeFiles(journal, stage, published, moves)
    const [from, to] = [treesOf(stage, journal, ''), treesOf(published, journal, '')]
    for (const tree of [0, 1] as const) moves.merge(from[tree], to[tree])
  }
  moves.sync()
}

/** Two renames for the files and two for the metadata, whatever the folder holds. */
function swap(journal: StageJournal, stage: StageFolders, published: PublishedTrees, moves: TreeMoves): void {
  const from = treesOf(stage, journal, journal.prefix)
  const to = treesOf(published, journal, journal.prefix)
  for (const [tree, name] of [
    [0, 'files'],
    [1, 'metadata'],
  ] as const) {
    // Where the new one has left the stage, the step was done.
    if (!existsSync(from[tree])) continue
    const removed = join(stage.removed, name)
    if (!existsSync(removed)) moves.move(to[tree], removed)
    moves.move(from[tree], to[tree])
  }
  moves.removeEmpty(to[0], spaceFolder(published.uploads, journal))
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
