import type { BigIntStats } from 'node:fs'
import mime from 'mime'
import type { StoredFile } from '../files.js'

/** The known properties of one version of a file, and its identity. */
export interface Version {
  sha256: string
  /** Media type. */
  type: string
  size: string
  mtimeNs: string
  inode: string
  /** The bytes were read and have another digest. */
  damaged?: boolean
}

/** A file with its metadata. */
export interface DescribedFile {
  file: StoredFile
  /** The version that the digest and the type belong to. */
  version: Version | undefined
  /**
   * Has the size and the mtime of this version, but is another file: a restored copy whose bytes were not compared yet.
   */
  unverified: Version | undefined
}

/** Parses a metadata file; empty if it is damaged. */
export function parseVersions(text: string): Version[] {
  try {
    const { versions } = JSON.parse(text) as { versions?: unknown }
    return Array.isArray(versions) && versions.every(isVersion) ? versions : []
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return []
    throw error
  }
}

/** Describes the file with these `stats` by the known versions of its name. */
export function describeFile(name: string, stats: BigIntStats, versions: Version[]): DescribedFile {
  const version = versions.find((known) => isSame(known, stats))
  const unverified = version ? undefined : versions.find((known) => !known.damaged && isAlike(known, stats))
  const type = (version ?? unverified)?.type ?? mediaTypeOf(name)
  const sha256 = version && !version.damaged ? version.sha256 : null
  const isDateStrong = versions.every(
    (known) => known === version || known === unverified || !isSameSecond(known, stats),
  )
  const file = storedFile(name, stats, { sha256, type, isDateStrong })
  if (version?.damaged) file.damaged = true
  if (unverified) file.unverified = true
  return { file, version, unverified }
}

/** The file with these `stats` and what they do not tell. */
export function storedFile(
  name: string,
  stats: BigIntStats,
  { sha256, type, isDateStrong }: Pick<StoredFile, 'sha256' | 'type' | 'isDateStrong'>,
): StoredFile {
  const version = versionOf(stats)
  const lastModified = Number(stats.mtimeMs)
  // One literal: a listing creates thousands of these.
  return {
    name,
    size: Number(stats.size),
    sha256,
    type,
    uploadedAt: new Date(lastModified).toISOString(),
    version,
    entityTag: `"${sha256 ?? version}"`,
    lastModified,
    isDateStrong,
  }
}

/** `StoredFile.version` of the file with these `stats`. */
export function versionOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino.toString(16)}-${size.toString(16)}-${mtimeNs.toString(16)}`
}

/** The identity of the file with these `stats`. */
export function identify(stats: BigIntStats): Pick<Version, 'size' | 'mtimeNs' | 'inode'> {
  return { size: String(stats.size), mtimeNs: String(stats.mtimeNs), inode: String(stats.ino) }
}

/** Derived from the name's extension. */
export function mediaTypeOf(name: string): string {
  return mime.getType(name) ?? 'application/octet-stream'
}

function isSame(known: Version, stats: BigIntStats): boolean {
  const { size, mtimeNs, inode } = identify(stats)
  return known.size === size && known.mtimeNs === mtimeNs && known.inode === inode
}

/**
 * cp and rsync keep an mtime, tar and others cut it to whole seconds, some convert it through a floating-point number.
 * A file that was replaced by hand within the same second has neither value.
 */
function isAlike(known: Version, { size, mtimeNs }: BigIntStats): boolean {
  if (known.size !== String(size)) return false
  const recorded = BigInt(known.mtimeNs)
  const difference = recorded > mtimeNs ? recorded - mtimeNs : mtimeNs - recorded
  return difference < 1_000_000n || (mtimeNs % second === 0n && recorded - (recorded % second) === mtimeNs)
}

function isSameSecond(known: Version, { mtimeNs }: BigIntStats): boolean {
  return BigInt(known.mtimeNs) / second === mtimeNs / second
}

const second = 1_000_000_000n

// Values that can be sent in a header. Node rejects other characters, and with them every download of the file.
const mediaType = /^[\t\x20-\x7e\x80-\xff]*$/

function isVersion(value: unknown): value is Version {
  const { sha256, type, size, mtimeNs, inode } = (value ?? {}) as Record<string, unknown>
  const isText = [sha256, size, mtimeNs, inode].every((part) => typeof part === 'string')
  return isText && typeof type === 'string' && mediaType.test(type) && /^\d+$/.test(mtimeNs as string)
}
