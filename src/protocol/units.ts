import { Problem } from './problems.js'

const sizeFactors: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }
const durationFactors: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses a size or a rate such as `5M` or `1.5G` into bytes: powers of 1024. Throws `invalid-request` naming `field`. */
export function parseSize(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim())
  const bytes = match ? Math.round(Number(match[1]) * (sizeFactors[match[2]!.toUpperCase()] ?? Number.NaN)) : Number.NaN
  if (!Number.isSafeInteger(bytes)) {
    throw new Problem('invalid-request', `${field}: "${text}" is not a size; write it like 500K, 5M or 2G.`, { field })
  }
  return bytes
}

/** Parses a duration such as `10m`, `24h` or `1500ms` into milliseconds. Throws `invalid-request` naming `field`. */
export function parseDuration(text: string, field: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  const milliseconds = match ? Math.round(Number(match[1]) * durationFactors[match[2]!]!) : Number.NaN
  if (!Number.isSafeInteger(milliseconds)) {
    throw new Problem('invalid-request', `${field}: "${text}" is not a duration; write it like 30s, 10m or 24h.`, {
      field,
    })
  }
  return milliseconds
}

/** Words a number of bytes for people, in powers of 1024: `512 B`, `1.5 KiB`, `3.0 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`
}

/** Words a duration in milliseconds for people: `450 ms`, `12 s`, `3 min 5 s`, `2 h 4 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`
}

/** Words for people how long something still takes, in milliseconds: whole seconds, rounded up. */
export function formatTimeLeft(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  return seconds > 0 ? formatDuration(seconds * 1000) : '0 s'
}
