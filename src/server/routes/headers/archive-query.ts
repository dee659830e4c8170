import { type ArchiveFormat, archiveFormats, isArchiveFormat } from '../../../protocol/archives.js'
import { Problem } from '../../../protocol/problems.js'
import { pathOf } from '../../routing/target-check.js'
import { folderFromTarget } from './names.js'

export interface WantedArchive {
  format: ArchiveFormat
  /** Whether a tar has the SHA-256 of its files. */
  digests: boolean
}

/** `?archive=FORMAT`, and `&digests=1`; undefined without `archive`. Throws `invalid-request`. */
export function findArchive({ archive, digests = '0' }: Record<string, string>): WantedArchive | undefined {
  if (archive === undefined) return undefined
  if (!isArchiveFormat(archive)) {
    const message = `archive: "${archive}" is not a format. Use ${archiveFormats.join(' or ')}.`
    throw new Problem('invalid-request', message, { field: 'archive' })
  }
  return { format: archive, digests: digests === '1' }
}

/**
 * The folder in a raw request target such as `/files/a/b/?archive=tar`, after `prefix` (`/files/`): `a/b/`, or `''` for
 * the whole space. Throws `invalid-request`.
 */
export function archivedFolder(target: string, prefix: string): string {
  const path = pathOf(target)
  if (path === prefix || `${path}/` === prefix) return ''
  if (path.endsWith('/')) return folderFromTarget(target, prefix)
  throw new Problem('invalid-request', 'An archive is made of a folder: add a "/" to its name.', { field: 'name' })
}
