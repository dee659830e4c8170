import type { Member } from './archive-writer.js'

/** An entry as its records describe it. APPNOTE.TXT 6.3.10 is the specification of all records here. */
export interface ZipEntry {
  name: Buffer
  isFolder: boolean
  /** Milliseconds since 1970. */
  modified: number
  method: 'stored' | 'deflated'
  /** Its checksum and sizes follow its bytes, because they are not known before. */
  isStreamed: boolean
  /** Its sizes may need 64 bits. */
  isLarge: boolean
  crc: number
  size: number
  packedSize: number
  /** Of its local header in the archive. */
  offset: number
}

export function zipEntry({ name, size, modifiedAt }: Member, now: number, offset: number): ZipEntry {
  return {
    name: Buffer.from(name),
    isFolder: name.endsWith('/'),
    modified: modifiedAt ?? now,
    method: 'stored',
    isStreamed: false,
    isLarge: size >= maxSmallSize,
    crc: 0,
    size: 0,
    packedSize: 0,
    offset,
  }
}

/** Section 4.3.7. */
export function localHeader(entry: ZipEntry): Buffer {
  // Section 4.4.4: "the correct values are put in the data descriptor immediately following the compressed data."
  const sizes = entry.isStreamed ? [0, 0] : [entry.size, entry.packedSize]
  const extra = Buffer.concat([...(entry.isLarge ? [zip64Extra(sizes)] : []), timeExtra(entry)])
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  writeCommon(header, 4, entry, extra, entry.isLarge ? [max32, max32] : sizes)
  return Buffer.concat([header, entry.name, extra])
}

/** Section 4.3.9. */
export function dataDescriptor({ crc, size, packedSize, isLarge }: ZipEntry): Buffer {
  const descriptor = Buffer.alloc(isLarge ? 24 : 16)
  descriptor.writeUInt32LE(0x08074b50, 0)
  descriptor.writeUInt32LE(crc, 4)
  if (isLarge) {
    write64(descriptor, 8, packedSize)
    write64(descriptor, 16, size)
  } else {
    descriptor.writeUInt32LE(packedSize, 8)
    descriptor.writeUInt32LE(size, 12)
  }
  return descriptor
}

/** Section 4.3.12. */
export function centralRecord(entry: ZipEntry): Buffer {
  const { offset, isLarge, isFolder, size, packedSize, name } = entry
  const isFar = offset >= max32
  // Section 4.5.3: a field is in the extra only where its own is at its maximum.
  const wide = [...(isLarge ? [size, packedSize] : []), ...(isFar ? [offset] : [])]
  const extra = Buffer.concat([...(wide.length > 0 ? [zip64Extra(wide)] : []), timeExtra(entry)])
  const record = Buffer.alloc(46)
  record.writeUInt32LE(0x02014b50, 0)
  record.writeUInt16LE(madeByUnix, 4)
  writeCommon(record, 6, entry, extra, isLarge ? [max32, max32] : [size, packedSize], isFar)
  const mode = isFolder ? 0o040755 : 0o100644
  record.writeUInt32LE(((mode << 16) | (isFolder ? dosFolder : 0)) >>> 0, 38)
  record.writeUInt32LE(isFar ? max32 : offset, 42)
  return Buffer.concat([record, name, extra])
}

/** Sections 4.3.14 to 4.3.16: the end of an archive whose central directory of `bytes` starts at `offset`. */
export function endOfZip({ entries, bytes, offset }: { entries: number; bytes: number; offset: number }): Buffer {
  const end = Buffer.alloc(22)
  const isLarge = entries >= max16 || bytes >= max32 || offset >= max32
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(isLarge ? max16 : entries, 8)
  end.writeUInt16LE(isLarge ? max16 : entries, 10)
  end.writeUInt32LE(isLarge ? max32 : bytes, 12)
  end.writeUInt32LE(isLarge ? max32 : offset, 16)
  if (!isLarge) return end
  const large = Buffer.alloc(76)
  large.writeUInt32LE(0x06064b50, 0)
  write64(large, 4, 44)
  large.writeUInt16LE(madeByUnix, 12)
  large.writeUInt16LE(zip64Version, 14)
  write64(large, 24, entries)
  write64(large, 32, entries)
  write64(large, 40, bytes)
  write64(large, 48, offset)
  large.writeUInt32LE(0x07064b50, 56)
  write64(large, 64, offset + bytes)
  large.writeUInt32LE(1, 72)
  return Buffer.concat([large, end])
}

/** The fields that a local header and a record of the central directory share, from the version on. */
function writeCommon(
  target: Buffer,
  at: number,
  entry: ZipEntry,
  extra: Buffer,
  [size = 0, packedSize = 0]: readonly number[],
  isFar = false,
): void {
  target.writeUInt16LE(entry.isLarge || isFar ? zip64Version : plainVersion, at)
  target.writeUInt16LE(utf8Name | (entry.isStreamed ? descriptorFollows : 0), at + 2)
  target.writeUInt16LE(entry.method === 'deflated' ? 8 : 0, at + 4)
  target.writeUInt32LE(dosTime(entry.modified), at + 6)
  target.writeUInt32LE(entry.crc, at + 10)
  target.writeUInt32LE(packedSize, at + 14)
  target.writeUInt32LE(size, at + 18)
  target.writeUInt16LE(entry.name.length, at + 22)
  target.writeUInt16LE(extra.length, at + 24)
}

/** Section 4.5.3. */
function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length)
  extra.writeUInt16LE(0x0001, 0)
  extra.writeUInt16LE(8 * values.length, 2)
  for (const [index, value] of values.entries()) write64(extra, 4 + 8 * index, value)
  return extra
}

/** Info-ZIP's extended timestamp: seconds since 1970 in UTC, which readers prefer to the local time of DOS. */
function timeExtra({ modified }: ZipEntry): Buffer {
  const seconds = Math.floor(modified / 1000)
  if (Math.abs(seconds) > 0x7fffffff) return Buffer.alloc(0)
  const extra = Buffer.alloc(9)
  extra.writeUInt16LE(0x5455, 0)
  extra.writeUInt16LE(5, 2)
  extra.writeUInt8(1, 4)
  extra.writeInt32LE(seconds, 5)
  return extra
}

/** Of UTC, in steps of two seconds, from 1980 to 2107. */
function dosTime(modified: number): number {
  const date = new Date(Math.min(Math.max(modified, Date.UTC(1980, 0, 1)), Date.UTC(2107, 11, 31)))
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  return ((day << 16) | time) >>> 0
}

function write64(target: Buffer, at: number, value: number): void {
  target.writeBigUInt64LE(BigInt(value), at)
}

const max16 = 0xffff
const max32 = 0xffffffff
/** Smaller ones stay below 4 GiB even if deflating makes them larger, by up to 5 bytes in 16 KiB. */
const maxSmallSize = max32 - 2 * 1024 ** 2
const plainVersion = 20
const zip64Version = 45
const madeByUnix = (3 << 8) | zip64Version
const utf8Name = 1 << 11
const descriptorFollows = 1 << 3
const dosFolder = 0x10
