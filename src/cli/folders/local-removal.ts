import { rmdirSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMissing, isOccupied } from '../../protocol/file-errors.js'
import type { TransferReport } from './transfer-report.js'

/** Removes files, and the folders that become empty. */
export function removeLocal(
  root: string,
  files: readonly { name: string; path: string; size: number }[],
  report: TransferReport,
): void {
  for (const { name, path, size } of files) {
    try {
      unlinkSync(path)
      report.file({ name, size, status: 'removed' })
      for (let folder = dirname(path); folder !== root && folder.length > root.length; folder = dirname(folder))
        rmdirSync(folder)
    } catch (error) {
      if (isMissing(error)) report.file({ name, size, status: 'removed' })
      else if (!isOccupied(error)) report.fail(name, error)
    }
  }
}

/** Removes a folder if it is empty. Returns false if it is not empty or is missing. */
export function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    if (isMissing(error) || isOccupied(error)) return false
    throw error
  }
}
