import type { PublishedFiles } from './files.js'
import type { Folders } from './folders.js'
import type { Partials } from './partials.js'
import type { SmallFiles } from './small-files.js'
import type { Stages } from './stages.js'

/** The stores of files, which belong together: a partial or a stage becomes files of the same place. */
export interface FileStores {
  files: PublishedFiles
  folders: Folders
  partials: Partials
  smallFiles: SmallFiles
  stages: Stages
}
