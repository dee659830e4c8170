import { paxDigest } from '../../protocol/archives.js'

/** A member of a tar: a PAX header with its digest and, where needed, its name, then the file (POSIX.1-2001). */
export function tarMember(name: string, content: Buffer, sha256: string): Buffer {
  const isPlain = /^[\x20-\x7e]{1,100}$/.test(name)
  const records = `${isPlain ? '' : paxRecord('path', name)}${paxRecord(paxDigest, sha256)}`
  const pax = Buffer.from(records)
  const member = Buffer.alloc(2 * block + padded(pax.length) + padded(content.length))
  writeHeader(member, 0, 'pax', pax.length, 'x')
  pax.copy(member, block)
  const start = block + padded(pax.length)
  writeHeader(member, start, isPlain ? name : 'file', content.length, '0')
  content.copy(member, start + block)
  return member
}

/** Two empty blocks. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block)
}

const block = 512

function writeHeader(target: Buffer, at: number, name: string, size: number, type: string): void {
  target.write(name, at, 'latin1')
  const nul = '\0'
  target.write(`0000644${nul}0000000${nul}0000000${nul}`, at + 100, 'latin1')
  const octalSize = size.toString(8).padStart(11, '0')
  // The checksum is computed as if its own field were blank.
  target.write(`${octalSize}${nul}00000000000${nul}        ${type}`, at + 124, 'latin1')
  target.write(`ustar${nul}00`, at + 257, 'latin1')
  let sum = 0
  for (let index = at; index < at + block; index += 1) sum += target[index]!
  target.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1')
}

/** `LENGTH KEYWORD=VALUE\n`, where the length includes its own digits. */
function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length = bytes + String(length).length
  return `${length}${rest}`
}

function padded(bytes: number): number {
  return Math.ceil(bytes / block) * block
}
