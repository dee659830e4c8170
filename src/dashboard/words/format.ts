/** The user's languages, by which numbers and dates are written. */
const locales = [...navigator.languages]
const numbers = new Intl.NumberFormat(locales)
const time = new Intl.DateTimeFormat(locales, { hour: '2-digit', minute: '2-digit' })
const clock = new Intl.DateTimeFormat(locales, { timeStyle: 'medium', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(locales, { day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat(locales, { day: 'numeric', month: 'short', year: 'numeric' })
const fullTime = new Intl.DateTimeFormat(locales, { dateStyle: 'medium', timeStyle: 'medium' })

export function formatNumber(number: number): string {
  return numbers.format(number)
}

/** A short time: the time of day today, otherwise the date. */
export function formatShortTime(at: string): string {
  const date = new Date(at)
  const today = new Date()
  if (date.toDateString() === today.toDateString()) return time.format(date)
  return (date.getFullYear() === today.getFullYear() ? day : dayOfYear).format(date)
}

/** The time of day, with seconds. */
export function formatClock(at: string): string {
  return clock.format(new Date(at))
}

/** A whole date with its time. */
export function formatWholeTime(at: string): string {
  return fullTime.format(new Date(at))
}

/** A day as a field for dates holds it: `2026-12-24`, where the user is. */
export function formatDay(date: Date): string {
  const [year, month, day] = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}
