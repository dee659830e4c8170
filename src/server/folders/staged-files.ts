import type { PublishedFiles } from '../stores/files.js'
import type { SpaceReservations } from '../stores/space.js'
import type { Stages } from '../stores/stages.js'
import type { OpenStage } from './stage.js'

export interface StagedFilesServices {
  stages: Stages
  space: SpaceReservations
  files: Pick<PublishedFiles, 'measure'>
}

/** Returns the function that opens a stage, with space for its files until they are published. */
export function stageOpener({ stages, space, files }: StagedFilesServices): OpenStage {
  return async (plan) => {
    const { space: owner, prefix, replace } = plan
    let arriving = 0
    const stored = { bytes: 0 }
    const replaces = replace ? (await files.measure(owner, prefix)).bytes : 0
    const reservation = await space.reserve(owner, 0, replaces, () => stored.bytes)
    const stage = await stages.open(plan).catch((error) => {
      reservation.release()
      throw error
    })

    /** Takes space for `bytes` before they are added. */
    async function withRoom<T>(bytes: number, work: () => Promise<T>): Promise<T> {
      arriving += bytes
      try {
        await reservation.cover(stage.bytes + arriving)
        return await work()
      } finally {
        arriving -= bytes
        stored.bytes = stage.bytes
      }
    }

    return {
      replaces: replace,
      add: (partial, target) => withRoom(partial.size, () => stage.add(partial, target)),
      addSmall: (added) => withRoom(sizeOf(added), () => stage.addSmall(added)),
      addFolder: (folder) => stage.addFolder(folder),
      keep: (names) => stage.keep(names),
      async publish(commit) {
        const published = await stage.publish(commit)
        reservation.release()
        return published
      },
      forget: () => stage.forget(),
      async discard() {
        await stage.discard()
        reservation.release()
      },
    }
  }
}

function sizeOf(files: readonly { bytes: Uint8Array }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
