import { Exports } from '../transfers/exports.js'
import { Previews } from '../transfers/previews.js'
import { type ArchiveExportServices, ArchiveExports } from './archive-exports.js'
import { PreparedArchives } from './prepared-archives.js'

/** Exports of files and looks at them, and archives, sent at once or prepared. */
export function openExports(services: ArchiveExportServices) {
  const archives = new ArchiveExports(services)
  return {
    exports: new Exports(services),
    previews: new Previews(services),
    archives,
    prepared: new PreparedArchives({ ...services, archives }),
  }
}
