import { access, constants } from 'node:fs/promises'
import { type FileFault, fileFault } from '../../../protocol/file-errors.js'
import type { DataFolder } from './data-folder.js'
import { identifyFolder } from './folder-identity.js'

export interface StorageCheckOptions {
  /** Bytes that can still be written. */
  freeBytes(): Promise<number>
  /** The time limit of a check, as for a network file system that is gone; default 2 s. */
  timeoutMs?: number
}

/** Checks whether new work can be stored. Resolves with the reason why not, or null. Calls during a check share it. */
export type StorageCheck = () => Promise<string | null>

/** Records the identity of the folder: another one in its place, as after an unmount, is detected. */
export async function openStorageCheck(
  { root, uploads, partial, meta, tables }: DataFolder,
  { freeBytes, timeoutMs = 2000 }: StorageCheckOptions,
): Promise<StorageCheck> {
  const parts = [root, uploads, partial, meta, tables]
  const opened = await Promise.all(parts.map(identifyFolder))
  let running: Promise<string | null> | null = null

  async function check(): Promise<string | null> {
    try {
      for (const [at, part] of parts.entries())
        if ((await identifyFolder(part)) !== opened[at]) return 'data folder replaced'
      await access(partial, constants.W_OK)
      return (await freeBytes()) < minFreeBytes ? 'disk full' : null
    } catch (error) {
      const fault = fileFault(error)
      return (fault && reasons[fault]) ?? 'data folder failing'
    }
  }

  return () => {
    if (!running) {
      const checking = check().finally(() => {
        if (running === checking) running = null
      })
      running = checking
    }
    return withTimeout(running, timeoutMs)
  }
}

const minFreeBytes = 1024 ** 2

const reasons: { [fault in FileFault]?: string } = {
  missing: 'data folder missing',
  'below-file': 'data folder missing',
  'read-only': 'data folder read-only',
  forbidden: 'data folder not writable',
}

async function withTimeout(check: Promise<string | null>, timeoutMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('data folder not answering'), timeoutMs)
  })
  return Promise.race([check, late]).finally(() => clearTimeout(timer))
}
