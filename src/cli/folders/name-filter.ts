import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Ignore } from 'ignore'

/** Which files of a folder take part. Paths are relative to it, with slashes; that of a folder ends with one. */
export interface NameFilter {
  /** Whether a walk looks at it: for a file, whether it takes part. */
  admits(path: string): boolean
  /** Whether a folder takes part that is empty. */
  admitsEmpty(path: string): boolean
  /** The files that were listed by `--files-from`; undefined without it. */
  readonly listed?: ReadonlySet<string>
}

/** The values of the options. */
export interface FilterOptions {
  include?: readonly string[]
  exclude?: readonly string[]
  excludeFrom?: readonly string[]
  filesFrom?: string
}

/**
 * Patterns as in `.gitignore`: `*.tmp` at any depth, `/build` and `a/*.txt` from the top, `cache/` folders only. A file takes
 * part if an include, if there are any, matches it or a folder above it, no exclude does, and a list, if given, has it.
 */
export async function openFilter(options: FilterOptions, stdin: NodeJS.ReadableStream): Promise<NameFilter> {
  const { include = [], exclude = [], excludeFrom = [], filesFrom } = options
  const list = filesFrom === undefined ? undefined : await readList(filesFrom, stdin)
  if (include.length + exclude.length + excludeFrom.length === 0) return list ?? everything
  const { default: ignore } = await import('ignore')
  const create = () => ignore({ ignoreCase: false })
  const included = include.length > 0 ? create().add(include) : undefined
  const excluded = create()
  for (const file of excludeFrom) excluded.add(await readFile(file, 'utf8'))
  const patterns = matching(included, excluded.add(exclude))
  return list ? { ...list, admits: (path) => list.admits(path) && patterns.admits(path) } : patterns
}

const everything: NameFilter = { admits: () => true, admitsEmpty: () => true }

function matching(included: Ignore | undefined, excluded: Ignore): NameFilter {
  return {
    admits(path) {
      if (excluded.ignores(path)) return false
      return path.endsWith('/') || (included?.ignores(path) ?? true)
    },
    admitsEmpty: (path) => !excluded.ignores(path) && (included?.ignores(path) ?? true),
  }
}

/** One path a line or, if there is a NUL, one before each NUL, as `find -print0` writes them. */
async function readList(file: string, stdin: NodeJS.ReadableStream): Promise<NameFilter> {
  const content = file === '-' ? await text(stdin) : await readFile(file, 'utf8')
  const lines = content.split(content.includes('\0') ? '\0' : /\r?\n/)
  const listed = new Set(
    lines.map((line) => line.normalize('NFC').replace(/^(?:\.\/)+/, '')).filter((line) => line !== ''),
  )
  const folders = new Set<string>()
  for (const name of listed) {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const folder = name.slice(0, end + 1)
      if (folders.has(folder)) break
      folders.add(folder)
    }
  }
  // It lists files.
  const admitsEmpty = () => false
  return { listed, admitsEmpty, admits: (path) => (path.endsWith('/') ? folders : listed).has(path) }
}
