import { Lexer, type MarkedToken, type Token } from 'marked'

/** Where a link of a document leads. */
export type LinkTarget =
  /** A file or a folder beside the document, as an address of this page; with the address of the bytes. */
  { kind: 'beside'; href: string; path: string } | { kind: 'elsewhere'; href: string }

/**
 * The parts of a document in Markdown (CommonMark, with the tables, task lists and strikethrough of GitHub); null for one that is nested so
 * deeply that it cannot be read either. It takes seconds at most, also for a text that is made to take long.
 */
export function parseMarkdown(text: string): Token[] | null {
  if (deepQuote.test(text)) return null
  try {
    return new PatientLexer({ gfm: true }).lex(text.replace(/^\uFEFF/, ''))
  } catch {
    return null
  }
}

/** Leaves very long paragraphs as they are written: to look for pairs of marks takes time by the square of their length. */
class PatientLexer extends Lexer {
  override inlineTokens(text: string, tokens: Token[] = []): Token[] {
    if (text.length <= longestParagraph) return super.inlineTokens(text, tokens)
    tokens.push({ type: 'text', raw: text, text, escaped: false })
    return tokens
  }
}

/** A token by its type: the lexer has no extension that makes others. */
export function known(token: Token): MarkedToken {
  return token as MarkedToken
}

/** Replaces entities such as `&amp;` by their characters. The parser of HTML gets nothing but these. */
export function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][\da-z]{1,31});/gi,
    (entity) => new DOMParser().parseFromString(entity, 'text/html').body.textContent ?? entity,
  )
}

/**
 * Where a link leads; undefined if it must not be followed: scripts, data, programs, places in the same document. `path` is the address of
 * the document. Files and folders of the same owner are opened by this page.
 */
export function targetOf(href: string, path: string): LinkTarget | undefined {
  const decoded = decodeEntities(href)
  if (decoded.startsWith('#') || !URL.canParse(decoded, location.origin + path)) return undefined
  const url = new URL(decoded, location.origin + path)
  const isRelative = !/^(?:[a-z][a-z\d+.-]*:|\/\/|\\\\)/i.test(decoded.trim())
  if (isRelative && url.origin === location.origin && url.pathname.startsWith(rootOf(path))) {
    const cut = url.pathname.lastIndexOf('/') + 1
    const [folder, name] = [url.pathname.slice(0, cut), url.pathname.slice(cut)]
    return { kind: 'beside', href: name === '' ? folder : `${folder}?open=${name}`, path: url.pathname }
  }
  return followed.has(url.protocol) && !isRelative ? { kind: 'elsewhere', href: url.href } : undefined
}

/** `/files/`, or `/published/OPS/`. */
function rootOf(path: string): string {
  return /^\/(?:files|published\/[^/]+)\//.exec(path)?.[0] ?? '/files/'
}

const deepQuote = /^(?: {0,3}>){60}/m
const longestParagraph = 8192
const followed = new Set(['http:', 'https:', 'mailto:'])
