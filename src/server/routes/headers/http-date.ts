/**
 * Parses an HTTP-date (RFC 9110 section 5.6.7) in any of its three forms into milliseconds; undefined for everything
 * else, which a recipient must ignore. `now` determines the century of two-digit years.
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  const fixed = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(text)
  if (fixed) return toTime(fixed[3]!, fixed[2]!, fixed[1]!, fixed[4]!)
  const rfc850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/.exec(text)
  if (rfc850) return toTime(fullYear(rfc850[3]!, now), rfc850[2]!, rfc850[1]!, rfc850[4]!)
  const asctime = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/.exec(text)
  return asctime ? toTime(asctime[4]!, asctime[1]!, asctime[2]!, asctime[3]!) : undefined
}

/** RFC 9110: a two-digit year "that appears to be more than 50 years in the future" is in the past. */
function fullYear(digits: string, now: number): string {
  const thisYear = new Date(now).getUTCFullYear()
  const year = Math.floor(thisYear / 100) * 100 + Number(digits)
  return String(year > thisYear + 50 ? year - 100 : year)
}

function toTime(year: string, month: string, day: string, time: string): number | undefined {
  const at = months.indexOf(month)
  const [hour, minute, second] = time.split(':').map(Number) as [number, number, number]
  // RFC 9110 section 5.6.7: seconds are 00 to 60, for a leap second.
  if (at < 0 || hour > 23 || minute > 59 || second > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), at, Number(day))
  if (date.getUTCMonth() !== at || date.getUTCDate() !== Number(day)) return undefined
  return date.setUTCHours(hour, minute, second)
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
