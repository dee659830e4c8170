import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseConfig } from '../../dist/server/config.js'
import { startServer } from '../../dist/server/start.js'
import { isCluster } from '../run/is-cluster.js'
import { backendOf } from './backend.js'
import { temporaryFolder } from './temporary-folder.js'

export interface Owner {
  /** `role/username`. */
  space: string
  token: string
}

/**
 * Puts a file into an account's space past the limits of its server: by hand into the data folder, or by another server on the same
 * database and bucket, which leaves the record of an upload.
 */
export async function placeFile(
  dataFolder: string,
  { space, token }: Owner,
  name: string,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  if (!isCluster) {
    const path = join(dataFolder, 'uploads', space, name)
    await mkdir(dirname(path), { recursive: true })
    return writeFile(path, content)
  }
  const config = { ...parseConfig({}, {}), cluster: await backendOf(dataFolder), port: 0 }
  const log = { info() {}, warn() {}, error() {}, audit() {} }
  const other = await startServer({ ...config, dataFolder: await temporaryFolder() }, log)
  try {
    const headers = { Authorization: `Bearer ${token}` }
    const { status } = await fetch(`${other.url}/files/${name}`, { method: 'PUT', headers, body: content })
    if (status !== 201) throw new Error(`PUT of ${name}: ${status}`)
  } finally {
    await other.close()
  }
}
