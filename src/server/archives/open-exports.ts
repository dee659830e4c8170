import { type ArchiveExportServices, ArchiveExports } from './archive-exports.js'
import { PreparedArchives } from './prepared-archives.js'

/** Exports of archives, sent at once or prepared. */
export function openArchives(services: ArchiveExportServices) {
  const archives = new ArchiveExports(services)
  return { archives, prepared: new PreparedArchives({ ...services, archives }) }
}
