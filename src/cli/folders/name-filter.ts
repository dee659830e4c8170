import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Ignore } from 'ignore'

/** Selects files of a folder. Paths are relative to it and separated by slashes; that of a folder ends with one. */
export interface NameFilter {
  /** Whether a file is selected, or a walk enters a folder. */
  admits(path: string): boolean
  /** Whether an empty folder is selected. */
  admitsEmpty(path: string): boolean
  /** The files that were listed by `--files-from`; undefined without it. */
  readonly listed?: ReadonlySet<string>
}

/** The options of the command line that select files. */
export interface FilterOptions {
  include?: readonly string[]
  exclude?: readonly string[]
  excludeFrom?: readonly string[]
  filesFrom?: string
}

/**
 * Patterns as in `.gitignore`: `*.tmp` at any depth, `/build` and `a/*.txt` from the top, `cache/` folders only. A file is
 * selected if an include matches it or a folder above it, no exclude does, and the list has it. Includes and the list apply
 * only if they are given.
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

/** One path per line, or, if there is a NUL, terminated by NULs as `find -print0` writes them. */
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
  // A list has files only.
  const admitsEmpty = () => false
  return { listed, admitsEmpty, admits: (path) => (path.endsWith('/') ? folders : listed).has(path) }
}
