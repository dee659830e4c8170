import { formatShortTime, formatWholeTime } from '../../words/format.js'

/** When a link ends: the time of day matters only within two days. */
export function formatEnd(at: string): string {
  const isSoon = Math.abs(Date.parse(at) - Date.now()) < 2 * 86_400_000
  return isSoon ? formatWholeTime(at) : formatShortTime(at)
}
