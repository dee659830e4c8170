import { statfs } from 'node:fs/promises'
import type { Capacity } from '../capacity.js'
import type { DiskReserve } from './disk-reserve.js'

export interface LocalCapacityOptions {
  /** Of the partials. */
  folder: string
  reserve: Pick<DiskReserve, 'missingBytes'>
  /** Throws `storage-unavailable` if the folder of the files is missing. */
  checkFolder(): Promise<void>
  /** Resolves when the removed partials are closed, and removed folders are gone. */
  closed(): Promise<void>
}

/** The free space of the disk of the partials, without the reserve. */
export function localCapacity({ folder, reserve, checkFolder, closed }: LocalCapacityOptions): Capacity {
  return {
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder).catch(async (error) => {
        await checkFolder()
        throw error
      })
      return Math.max(0, bavail * bsize - reserve.missingBytes())
    },
    freed: closed,
  }
}
