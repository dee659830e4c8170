import { type DateFormat, isoDates } from './date-format.js'

/** How the times of a column are written: a date, a space or `T`, and a time. */
export interface TimeFormat {
  readonly dates: DateFormat
  /** Each ends with its offset from UTC. Otherwise none has one but `Z`. */
  readonly offsets: boolean
  /** Whether the engine is given another form: it reads only ISO 8601 without offsets. */
  readonly isRewritten: boolean
}

/** With and without offsets; of ISO dates, also in the form that the engine reads. */
export function timeFormats(dates: DateFormat): [TimeFormat, ...TimeFormat[]] {
  const others: [TimeFormat, TimeFormat] = [
    { dates, offsets: false, isRewritten: true },
    { dates, offsets: true, isRewritten: true },
  ]
  return dates.pattern === isoDates ? [{ dates, offsets: false, isRewritten: false }, ...others] : others
}

/**
 * A time as `2026-11-28 14:30:00`, in UTC if it has an offset (RFC 3339, section 5.6; `+0200` and `+02` too); undefined if the
 * value is not written in this format, or does not exist.
 */
export function readTimestamp(value: string, { dates, offsets, isRewritten }: TimeFormat): string | undefined {
  if (!isRewritten) return plainPattern.test(value) && dates.toIso(value.slice(0, 10)) ? value : undefined
  const match = timePattern.exec(value.trim())
  const { day, hour, minute, rest = '', half, offset } = match?.groups ?? {}
  const date = day === undefined ? undefined : dates.toIso(day)
  if (date === undefined || (offsets ? offset === undefined : offset !== undefined && offset !== 'Z')) return undefined
  const hours = hourOf(Number(hour), half)
  if (hours === undefined || Number(minute) > 59 || Number(rest.slice(1, 3)) > 59) return undefined
  const local = `${date} ${String(hours).padStart(2, '0')}:${minute}${rest || ':00'}`
  return offset === undefined || offset === 'Z' ? local : inUtc(local, offset)
}

const plainPattern = /^\d{4}-\d{2}-\d{2}[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?Z?)?$/
const timePattern =
  /^(?<day>\S+|\d{1,2} \p{L}+ \d{4})[ T](?<hour>\d{1,2}):(?<minute>\d\d)(?<rest>:\d\d(?:\.\d{1,6})?)?(?: ?(?<half>[AaPp][Mm]))?(?: ?(?<offset>Z|[-+]\d\d(?::?\d\d)?))?$/u

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour <= 23 ? hour : undefined
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)
}

function inUtc(local: string, offset: string): string | undefined {
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(3).replace(':', '') || 0)]
  if (hours > 23 || minutes > 59) return undefined
  const [whole, fraction] = local.split('.')
  const at =
    Date.parse(`${whole!.replace(' ', 'T')}Z`) - (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
  const utc = new Date(at).toISOString().slice(0, 19).replace('T', ' ')
  return fraction === undefined ? utc : `${utc}.${fraction}`
}
