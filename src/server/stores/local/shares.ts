import { join } from 'node:path'
import { z } from 'zod'
import type { Share, ShareStore } from '../shares.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { openJsonFile } from './json-file.js'

export interface ShareStoreOptions {
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
  /** For revocations on a full disk. */
  reserve?: ReserveUse
}

/** Opens the shares of shares.json. Throws if the file is damaged. */
export async function openShareStore(
  dataFolder: string,
  { now = Date.now, reserve = noReserve }: ShareStoreOptions = {},
): Promise<ShareStore & { close(): Promise<void> }> {
  const file = await openJsonFile<{ shares: Share[] }>(
    join(dataFolder, 'shares.json'),
    sharesSchema,
    { shares: [] },
    reserve,
  )
  const byId = new Map(file.data.shares.map((share) => [share.id, share]))
  const isLive = (share: Share) => Date.parse(share.expiresAt) > now()

  async function save(how: 'save' | 'saveWithReserve'): Promise<void> {
    for (const share of byId.values()) if (!isLive(share)) byId.delete(share.id)
    file.data.shares = [...byId.values()]
    await file[how]()
  }

  return {
    async create(share) {
      byId.set(share.id, share)
      try {
        await save('save')
      } catch (error) {
        byId.delete(share.id)
        throw error
      }
    },

    async find(id) {
      const share = byId.get(id)
      return share && isLive(share) ? share : undefined
    },

    async list(accountId) {
      return [...byId.values()].filter((share) => share.accountId === accountId && isLive(share))
    },

    async remove(ids) {
      // They stay removed in memory even if the write fails: a revocation must not be undone by a full disk.
      const removed = ids.filter((id) => byId.delete(id))
      if (removed.length > 0) await save('saveWithReserve')
    },

    close: () => file.close(),
  }
}

const sharesSchema = z.object({
  shares: z.array(
    z.looseObject({
      id: z.string().min(1),
      accountId: z.int().positive(),
      filename: z.string().min(1),
      createdAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
    }),
  ),
})
