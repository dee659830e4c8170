import type { BigIntStats } from 'node:fs'

/**
 * What tells one state of a file from another, as `lstat` gives it: in numbers, because `BigIntStats` take longer than the
 * call itself. They keep a quarter of a microsecond of a time.
 */
export interface FileStamp {
  ino: number
  nlink: number
  /** Bytes. */
  size: number
  mtimeMs: number
  ctimeMs: number
}

/** The numbers that `Stats` has; undefined if they are not exact enough for the inode or the milliseconds of the mtime. */
export function stampOf({ ino, nlink, size, mtimeNs, ctimeNs }: BigIntStats): FileStamp | undefined {
  const mtimeMs = millisecondsOf(mtimeNs)
  const isExact = ino <= Number.MAX_SAFE_INTEGER && Math.trunc(mtimeMs) === Number(mtimeNs / 1_000_000n)
  if (!isExact) return undefined
  return { ino: Number(ino), nlink: Number(nlink), size: Number(size), mtimeMs, ctimeMs: millisecondsOf(ctimeNs) }
}

/** As Node computes them, so that they are equal. */
function millisecondsOf(ns: bigint): number {
  return Number(ns / 1_000_000_000n) * 1000 + Number(ns % 1_000_000_000n) / 1_000_000
}
