import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'vite'

/** Makes imports of the built program lead to its sources. */
export function sources(root: string): Plugin {
  const [src, dist] = [join(root, 'src'), join(root, 'dist')]
  return {
    name: 'sources',
    enforce: 'pre',
    resolveId(id, importer) {
      const path = importer && id.startsWith('.') ? resolve(importer, '..', id) : id
      if (!path.startsWith(`${dist}/`)) return undefined
      const source = join(src, relative(dist, path)).replace(/\.js$/, '.ts')
      return existsSync(source) ? source : undefined
    },
    /** Files that are started by path, such as a worker thread's, exist in `dist` only. */
    transform(code, path) {
      if (!path.startsWith(`${src}/`) || !code.includes('import.meta.url')) return undefined
      const built = join(dist, relative(src, path)).replace(/\.ts$/, '.js')
      return { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(built).href)), map: null }
    },
  }
}
