import { invalidOption, type OptionParser } from './option-values.js'

/** The URL without a slash at its end. */
export const asPublicUrl: OptionParser<string> = (text, source) => {
  const url = parseUrl(text)
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username) {
    return url.href.replace(/\/+$/, '')
  }
  throw invalidOption(source, `must be the URL of a site, such as https://files.example.org, not "${text}"`)
}

/** Origins separated by commas, or `*`. */
export const asOrigins: OptionParser<string> = (text, source) => {
  if (text === '*') return text
  return text
    .split(',')
    .map((part) => {
      const origin = parseUrl(part.trim())?.origin
      if (origin?.startsWith('http')) return origin
      throw invalidOption(source, `must be * or origins such as https://app.example.org, not "${part}"`)
    })
    .join(',')
}

/** A password in a flag is refused, because every user of the machine can read it. */
export const asDatabaseUrl: OptionParser<string> = (text, source) => {
  const url = parseUrl(text)
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw invalidOption(
      source,
      'must be the URL of a PostgreSQL database, such as postgres://filejobs@db.example.org/filejobs',
    )
  }
  if (url.password === '' || !source.startsWith('--')) return text
  throw invalidOption(
    source,
    'would show the password to every user of this machine: set FILEJOBS_DATABASE or PGPASSWORD',
  )
}

/** What follows the scheme is checked where it is used. */
export const asBucketUrl: OptionParser<string> = (text, source) => {
  if (/^s3:\/\/[^/]/.test(text)) return text
  throw invalidOption(source, `must be s3://NAME/PREFIX?endpoint=URL&region=REGION, not "${text}"`)
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
