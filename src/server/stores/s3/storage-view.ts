import { diskOfFolder } from '../local/disk-of-folder.js'
import type { Database } from '../postgres/database.js'
import type { StorageView } from '../storage-view.js'
import type { Bucket } from './bucket.js'
import { checkStored } from './stored-integrity.js'

/** Its check compares the rows with the bucket, as `filejobs doctor` does, without reading the files. */
export function bucketStorageView(database: Database, bucket: Bucket, scratch: string): StorageView {
  return {
    kind: 'database',
    disk: () => diskOfFolder(scratch),
    async check(found, signal) {
      const { damaged, orphans } = await checkStored(database, bucket, { verify: false, fix: false, signal })
      for (const { account, name, why } of damaged) {
        const subject = name === null ? 'an upload that has not ended' : `${account}/${name}`
        found({ severity: 'damage', subject, fault: why })
      }
      for (const { key, why } of orphans) found({ severity: 'note', subject: `object ${key}`, fault: why })
    },
  }
}
