import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

/** One file of the dashboard in memory, whole and compressed. */
export interface DashboardFile {
  type: string
  /** Strong, quotes included. */
  entityTag: string
  bytes: Buffer
  brotli: Buffer | undefined
  gzip: Buffer | undefined
}

/** The files of the built dashboard by their path, such as `index.html` or `assets/index-1a2b3c.js`. */
export type Dashboard = ReadonlyMap<string, DashboardFile>

/** Reads the built dashboard into memory: it has less than half a megabyte. Empty where it was not built. */
export async function openDashboard(folder: string): Promise<Dashboard> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(missingAsNone)
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const dashboard = new Map<string, DashboardFile>()
  for (const path of paths) {
    const type = types[extname(path)]
    if (type === undefined) continue
    const bytes = await readFile(path)
    dashboard.set(relative(folder, path).split(sep).join('/'), {
      type,
      entityTag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
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
  '.webmanifest': 'application/manifest+json',
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
}

function missingAsNone(error: NodeJS.ErrnoException): [] {
  if (error.code !== 'ENOENT') throw error
  return []
}
