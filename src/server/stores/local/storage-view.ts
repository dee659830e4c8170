import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckFinding } from '../../../protocol/server-state.js'
import { type AccountStore, accountName } from '../accounts.js'
import type { StorageView } from '../storage-view.js'
import type { TableStore } from '../tables.js'
import type { DataFolder } from './data-folder.js'
import { diskOfFolder } from './disk-of-folder.js'
import { missingAsUndefined } from './missing.js'
import { findUnserved } from './unserved.js'

export interface LocalStorageViewOptions {
  folder: DataFolder
  accounts: Pick<AccountStore, 'list'>
  tables: Pick<TableStore, 'list' | 'folder'>
}

/** Its check finds files that no request can reach, and tables whose files are missing or cut. */
export function localStorageView({ folder, accounts, tables }: LocalStorageViewOptions): StorageView {
  return {
    kind: 'folder',
    disk: () => diskOfFolder(folder.partial),
    async check(found, signal) {
      for (const account of await accounts.list()) {
        signal.throwIfAborted()
        for (const { name, imports } of await tables.list(account)) {
          for (const { id, path, bytes } of imports) {
            const fault = await faultOf(join(tables.folder, path), bytes)
            const subject = `import ${id} of the table ${name} of ${accountName(account)}`
            if (fault) found({ severity: 'damage', subject, fault })
          }
        }
      }
      const note = ({ path, why }: { path: string; why: string }): CheckFinding => {
        return { severity: 'note', subject: path, fault: why }
      }
      await findUnserved(folder.uploads, { signal, onFound: (unserved) => found(note(unserved)) })
    },
  }
}

async function faultOf(path: string, bytes: number): Promise<string | undefined> {
  const stats = await stat(path).catch(missingAsUndefined)
  if (!stats) return 'its file is missing'
  return stats.size === bytes ? undefined : `its file has ${stats.size} instead of ${bytes} bytes`
}
