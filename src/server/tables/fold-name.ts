/**
 * Normalizes a name as the engine compares names: only ASCII letters are case-insensitive. With `toLowerCase()` the
 * Kelvin sign (U+212A) would be a `k`.
 */
export function foldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
