import { Problem } from './problems.js'

/** After the number: each is 1024 times the one before. */
const sizeUnits = ['', 'K', 'M', 'G', 'T', 'P']
const durationFactors: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses a size such as `5M`, `1.5 GiB` or `2 GB` into bytes: powers of 1024. Throws `invalid-request` naming `field`. */
export function parseSize(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGTP]?)(?:i?B)?$/i.exec(text.trim())
  const bytes = match ? Math.round(Number(match[1]) * 1024 ** sizeUnits.indexOf(match[2]!.toUpperCase())) : Number.NaN
  if (!Number.isSafeInteger(bytes)) {
    throw new Problem('invalid-request', `${field} must be a size such as 500K, 5M or 2G, not "${text}".`, { field })
  }
  return bytes
}

/** Parses a rate such as `5M` or `2 MiB/s` into bytes per second. Throws `invalid-request` naming `field`. */
export function parseBytesPerSecond(text: string, field: string): number {
  return parseSize(text.replace(/\s*\/\s*s\s*$/i, ''), field)
}

/** Parses a duration such as `10m`, `24h` or `1500ms` into milliseconds. Throws `invalid-request` naming `field`. */
export function parseDuration(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  const milliseconds = match ? Math.round(Number(match[1]) * durationFactors[match[2]!]!) : Number.NaN
  if (!Number.isSafeInteger(milliseconds)) {
    throw new Problem('invalid-request', `${field} must be a duration such as 30s, 10m or 24h, not "${text}".`, {
      field,
    })
  }
  return milliseconds
}

/**
 * Formats a number of bytes in powers of 1024: `512 B`, `1.5 KiB`, `3.0 GiB`. Rounds up to the next unit: never `1024.0
 * KiB`.
 */
export function formatBytes(bytes: number): string {
  let value = Math.round(bytes)
  if (value < 1024) return `${value} B`
  let unit = ''
  for (unit of ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']) {
    value /= 1024
    if (Number(value.toFixed(1)) < 1024) break
  }
  return `${value.toFixed(1)} ${unit}`
}

/** Formats a duration in milliseconds: `450 ms`, `12 s`, `3 min 5 s`, `2 h 4 min`. */
export function formatDuration(milliseconds: number): string {
  if (Math.round(milliseconds) < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`
}

/** Formats a remaining time in milliseconds: whole seconds, rounded up. */
export function formatTimeLeft(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  return seconds > 0 ? formatDuration(seconds * 1000) : '0 s'
}

/** `1 file`, `2,000 files`. */
export function countOf(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}
