import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/**
 * A value for JSON: integers beyond 2^53 and decimals as strings, dates and times in ISO 8601, bytes in base64. Numbers
 * that JSON lacks, such as infinity, are strings too.
 */
export function toJson(value: DuckDBValue): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof DuckDBDateValue) {
    // Its own text for an infinite date is a date in the year 5881580.
    if (!value.isFinite) return value.days > 0 ? 'infinity' : '-infinity'
    return isoDate(value.days * 86_400_000)
  }
  if (value instanceof DuckDBTimestampValue) return value.isFinite ? isoTime(value.micros) : String(value)
  if (value instanceof DuckDBTimestampTZValue) return value.isFinite ? `${isoTime(value.micros)}Z` : String(value)
  if (value instanceof DuckDBTimestampSecondsValue) return isoTime(value.seconds * 1_000_000n)
  if (value instanceof DuckDBTimestampMillisecondsValue) return isoTime(value.millis * 1000n)
  if (value instanceof DuckDBTimestampNanosecondsValue) return isoTime(value.nanos / 1000n)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(toJson)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, toJson(entry)]))
  }
  if (value instanceof DuckDBMapValue) return value.entries.map((entry) => [toJson(entry.key), toJson(entry.value)])
  if (value instanceof DuckDBUnionValue) return toJson(value.value)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64')
  return String(value)
}

function isoDate(milliseconds: number): string {
  const date = new Date(milliseconds)
  // The engine's timestamps exceed those of a Date by 5.8 million years.
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString().slice(0, -'T00:00:00.000Z'.length)
}

function isoTime(micros: bigint): string {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const date = new Date(Number((micros - rest) / 1000n))
  if (Number.isNaN(date.getTime())) return String(micros)
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(6, '0').replace(/0+$/, '')}`
  return `${date.toISOString().slice(0, -'.000Z'.length)}${fraction}`
}
