import type { PublishedFiles, Space } from '../stores/files.js'
import type { TableStore } from '../stores/tables.js'

/** Bytes of everything that counts towards an account's quota. */
export function usageOf({
  files,
  tables,
}: {
  files: Pick<PublishedFiles, 'usage'>
  tables: Pick<TableStore, 'usage'>
}) {
  return async (space: Space) => (await files.usage(space)) + (await tables.usage(space))
}
