import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { isMissing } from '../../../protocol/file-errors.js'
import type { StaticFile } from './static-file.js'
import { entityTagOf } from './validators.js'

/** The files of the built dashboard by path, such as `index.html` or `assets/index-1a2b3c.js`. */
export type Dashboard = ReadonlyMap<string, StaticFile>

/** Placeholder in the built page for the nonce of its scripts and styles. */
export const noncePlaceholder = '__nonce__'

/** Reads the built dashboard into memory: less than half a megabyte. Empty if it was not built. */
export async function openDashboard(folder: string): Promise<Dashboard> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(missingAsNone)
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const dashboard = new Map<string, StaticFile>()
  for (const path of paths) {
    const type = types[extname(path)]
    if (type === undefined) continue
    const bytes = await readFile(path)
    dashboard.set(relative(folder, path).split(sep).join('/'), {
      type,
      entityTag: entityTagOf(bytes),
      bytes,
      brotli: await readIfThere(`${path}.br`),
      gzip: await readIfThere(`${path}.gz`),
    })
  }
  return dashboard
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error) => {
    if (!isMissing(error)) throw error
    return undefined
  })
}

function missingAsNone(error: unknown): [] {
  if (!isMissing(error)) throw error
  return []
}
