import { faultOfName } from '../../../protocol/file-name.js'
import { Problem } from '../../../protocol/problems.js'
import { pathOf } from '../../routing/target-check.js'

/**
 * Validates a file name: a relative path of segments between slashes. Names are never altered. Throws `invalid-request`
 * with the reason.
 */
export function parseName(name: string): string {
  const wrong = faultOfName(name)
  if (wrong) throw new Problem('invalid-request', `The name ${JSON.stringify(name)} ${wrong}.`, { field: 'name' })
  return name
}

/** The full name of a file in a folder, for a requester who is not told of the folder. Throws `invalid-request` with the reason. */
export function checkedName(folder: string, name: string): string {
  const wrong = faultOfName(name) ?? faultOfName(folder + name)
  if (wrong) throw new Problem('invalid-request', `The name ${JSON.stringify(name)} ${wrong}.`, { field: 'name' })
  return folder + name
}

/** Like `parseName`, for a folder, whose name ends with a slash. */
export function parseFolder(folder: string): string {
  if (!folder.endsWith('/'))
    throw new Problem('invalid-request', 'The name of a folder ends with "/".', { field: 'name' })
  return `${parseName(folder.slice(0, -1))}/`
}

/** The name of a file, or with a slash at its end of a folder: `/` is the whole space, which has no name. Throws `invalid-request`. */
export function parseChosen(name: string): string {
  if (name === '/') return ''
  return name.endsWith('/') ? parseFolder(name) : parseName(name)
}

/** The folder in a raw request target whose path ends with a slash; like `nameFromTarget`. */
export function folderFromTarget(target: string, prefix: string): string {
  return `${nameFromTarget(pathOf(target).slice(0, -1), prefix)}/`
}

/**
 * The name in a raw request target such as `/files/a%20b?x=1`, after `prefix` (`/files/`). The router resolves `..`, so
 * this reads the raw target. Decoded once, strictly.
 */
export function nameFromTarget(target: string, prefix: string): string {
  const path = pathOf(target)
  if (!path.startsWith(prefix)) throw unreadable(path)
  const encoded = path.slice(prefix.length)
  // Rejected before decoding too: `.` and `..` have a special meaning in a target, whatever they decode to.
  if (encoded.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new Problem('invalid-request', 'The name has a segment "." or "..".', { field: 'name' })
  }
  try {
    return parseName(decodeURIComponent(encoded))
  } catch (error) {
    if (error instanceof URIError) throw unreadable(encoded)
    throw error
  }
}

/** `OPS` or `OPS/NAME` of a published file in a raw request target after `prefix`; like `nameFromTarget`. */
export function publishedFromTarget(target: string, prefix: string): { ops: string; name: string | null } {
  // A trailing slash of `OPS/` is accepted, because it is a fixed route; that of a name is not.
  const path = pathOf(target)
  const isList = /^[^/]*\/?$/.test(path.slice(prefix.length))
  const [ops = '', ...rest] = nameFromTarget(isList ? path.replace(/\/$/, '') : path, prefix).split('/')
  return { ops, name: rest.length === 0 ? null : rest.join('/') }
}

function unreadable(encoded: string): Problem {
  return new Problem('invalid-request', `The name "${encoded}" is not percent-encoded UTF-8.`, { field: 'name' })
}
