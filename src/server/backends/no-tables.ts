import { Problem } from '../../protocol/problems.js'
import type { TableStore } from '../stores/tables.js'

/** Of servers that have no store for tables yet: there are none, and none can be added. `folder` exists, and is empty. */
export function noTables(folder: string): TableStore {
  const refuse = (): never => {
    const message =
      'This server keeps its files in a bucket, where it has no tables yet: import on one without --bucket.'
    throw new Problem('tables-unavailable', message)
  }
  return {
    folder,
    list: async () => [],
    find: async () => undefined,
    ready: async () => refuse(),
    stage: refuse,
    publish: async () => refuse(),
    removeImport: async () => false,
    remove: async () => false,
    usage: async () => 0,
    removeSpace: async () => {},
    findLeftovers: async () => [],
    removeLeftover: async () => {},
  }
}
