import { onTestFinished } from 'vitest'
import { type LocalFiles, openLocalFiles } from '../../../../dist/server/stores/local/files.js'
import type { SmallFiles } from '../../../../dist/server/stores/small-files.js'
import type { Stages } from '../../../../dist/server/stores/stages.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import type { FileStores } from '../stored-content.js'

export interface LocalStores extends FileStores {
  data: string
  smallFiles: SmallFiles
  discarded: LocalFiles['discarded']
  stages: Stages
  restart(): Promise<LocalStores>
}

/** Opens the local stores of files on a data folder of the running test. */
export async function openStores(folder?: string): Promise<LocalStores> {
  const data = folder ?? (await temporaryFolder())
  const { files, folders, partials, smallFiles, stages, discarded, close } = await openLocalFiles(data)
  let closed: Promise<void> | undefined
  const closeOnce = () => {
    closed ??= close()
    return closed
  }
  onTestFinished(closeOnce)
  return {
    data,
    files,
    folders,
    discarded,
    partials,
    smallFiles,
    stages,
    async restart() {
      await closeOnce()
      return openStores(data)
    },
  }
}
