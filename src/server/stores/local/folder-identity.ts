import { stat } from 'node:fs/promises'
import { isUnreachable } from '../../../protocol/file-errors.js'
import { storageUnavailable } from '../storage-fault.js'

/** Distinguishes a folder from another one at the same path. */
export async function identifyFolder(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true })
  return `${dev}/${ino}`
}

/**
 * Records the identity of the folder at the path. The returned function throws `storage-unavailable` if the folder is
 * missing or replaced, as after an unmount: nothing may be written there, and missing files prove nothing.
 */
export async function rememberFolder(path: string): Promise<() => Promise<void>> {
  const opened = await identifyFolder(path)
  return async () => {
    const found = await identifyFolder(path).catch((error) => {
      if (!isUnreachable(error)) throw error
      throw storageUnavailable('is missing', error)
    })
    if (found !== opened)
      throw storageUnavailable('was replaced', new Error(`${path} is another folder than at the start`))
  }
}
