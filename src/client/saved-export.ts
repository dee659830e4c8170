import { newUuid } from '../protocol/uuid.js'
import type { ExportedStream } from './export.js'
import { nodeModule } from './node-modules.js'
import { readChunks } from './transport.js'

/** A file that was exported to a path. */
export interface SavedExport {
  readonly name: string
  readonly path: string
  readonly bytes: number
  /** In hexadecimal; null for an archive, and for a file that was put there by hand. */
  readonly sha256: string | null
}

/**
 * Writes an export beside `path`, and renames it when it is whole and on the disk: there is never a part of it at `path`. Throws
 * the system's errors.
 */
export async function saveExport(exported: ExportedStream, path: string | URL): Promise<SavedExport> {
  const { open, rename, rm } = nodeModule('node:fs/promises')
  const target = path instanceof URL ? nodeModule('node:url').fileURLToPath(path) : path
  const partial = `${target}.${newUuid().slice(0, 8)}.part`
  const handle = await open(partial, 'wx').catch(async (error: unknown) => {
    await exported.stream.cancel().catch(() => {})
    throw error
  })
  let bytes = 0
  try {
    for await (const chunk of readChunks(exported.stream)) {
      await handle.writeFile(chunk)
      bytes += chunk.length
    }
    await handle.sync()
    await handle.close()
    await rename(partial, target)
  } catch (error) {
    await handle.close().catch(() => {})
    await rm(partial, { force: true })
    throw error
  }
  return { name: exported.name, path: target, bytes, sha256: exported.sha256 }
}
