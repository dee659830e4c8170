import { FormFault } from './form-fault.js'

/**
 * Parses a header value with parameters, such as `form-data; name="f"; filename="a.txt"`. Lenient where the meaning is
 * clear: blanks around `=` and a trailing `;`. Parameter names are returned in lower case. Throws `FormFault` for
 * everything else: unreadable text may be the name of a file.
 */
export function parseParameters(header: string): { value: string; parameters: Map<string, string> } {
  const value = /^[^;]*/.exec(header)![0]
  const parameters = new Map<string, string>()
  let at = value.length
  while (at < header.length) {
    const [whole, name, quoted, token] = matchAt(parameter, header, at)
    if (whole === undefined)
      throw new FormFault(`has a header that cannot be read from ${excerpt(header.slice(at))} on`)
    at += whole.length
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (parameters.has(key)) throw new FormFault(`says "${key}" twice`)
    // RFC 7578 section 4.2 does not define which characters are escaped: browsers write a single backslash as it is.
    parameters.set(key, quoted === undefined ? token! : quoted.replace(/\\(["\\])/g, '$1'))
  }
  return { value: value.trim().toLowerCase(), parameters }
}

/** An empty parameter, or a name with a value that is quoted or contains no blank. */
const parameter =
  /;[ \t]*(?:([^\s"();:=,<>@?[\]/\\]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s"\\;]+))[ \t]*)?(?=;|$)/sy

function matchAt(pattern: RegExp, text: string, at: number): (string | undefined)[] {
  pattern.lastIndex = at
  return pattern.exec(text) ?? []
}

function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
