import { paxDigest } from '../../protocol/archives.js'
import type { Member } from './archive-writer.js'

/** tar counts in blocks. */
export const blockBytes = 512

/** POSIX.1-2001 (pax): a ustar header, after an extended header for what does not fit into it. */
export function tarHeader({ name, size, modifiedAt, sha256 }: Member, now: number): Buffer {
  const isFolder = name.endsWith('/')
  const modified = modifiedAt ?? now
  const seconds = Math.max(0, Math.floor(modified / 1000))
  const place = ustarName(name)
  const records = [
    place ? '' : paxRecord('path', name),
    size <= maxUstarSize ? '' : paxRecord('size', String(size)),
    modified === seconds * 1000 ? '' : paxRecord('mtime', (modified / 1000).toFixed(3)),
    sha256 === null ? '' : paxRecord(paxDigest, sha256),
  ].join('')
  const header = ustarHeader(place ?? asciiName(name), {
    size: Math.min(size, maxUstarSize),
    mode: isFolder ? 0o755 : 0o644,
    seconds,
    type: isFolder ? '5' : '0',
  })
  return records === '' ? header : Buffer.concat([extendedHeader(records, seconds), header])
}

/** The zeros that fill the last block. */
export function paddingOf(size: number): Buffer {
  return zeros.subarray(0, (blockBytes - (size % blockBytes)) % blockBytes)
}

/** Two blocks of zeros, filled up to a record of twenty blocks as tar writes it by default. */
export function endOfTar(written: number): Buffer {
  const end = written + 2 * blockBytes
  return Buffer.alloc(2 * blockBytes + ((recordBytes - (end % recordBytes)) % recordBytes))
}

interface UstarFields {
  size: number
  mode: number
  seconds: number
  type: '0' | '5' | 'x'
}

interface UstarName {
  name: string
  prefix: string
}

function extendedHeader(records: string, seconds: number): Buffer {
  const body = Buffer.from(records)
  const place = { name: 'PaxHeaders/file', prefix: '' }
  return Buffer.concat([
    ustarHeader(place, { size: body.length, mode: 0o644, seconds, type: 'x' }),
    body,
    paddingOf(body.length),
  ])
}

function ustarHeader({ name, prefix }: UstarName, { size, mode, seconds, type }: UstarFields): Buffer {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, digits, 'latin1')
  block.write(name, 0, nameBytes, 'latin1')
  octal(mode, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(Math.min(seconds, maxUstarSize), 136, 11)
  block.write('        ', 148, 8, 'latin1')
  block.write(type, 156, 1, 'latin1')
  block.write('ustar\u000000', 257, 8, 'latin1')
  block.write(prefix, 345, prefixBytes, 'latin1')
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 8, 'latin1')
  return block
}

/** Undefined if the name needs an extended header: it is too long, or not ASCII. */
function ustarName(name: string): UstarName | undefined {
  if (!/^[\x20-\x7e]+$/.test(name)) return undefined
  if (name.length <= nameBytes) return { name, prefix: '' }
  // The last slash that leaves a short enough rest, but not the one at the end of a folder.
  const slash = name.indexOf('/', name.length - nameBytes - 1)
  if (slash < 1 || slash > prefixBytes || slash === name.length - 1) return undefined
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

/** For readers that know no extended headers. */
function asciiName(name: string): UstarName {
  const plain = name.replace(/[^\x20-\x7e]/g, '_')
  return { name: plain.slice(-nameBytes).replace(/^\/+/, ''), prefix: '' }
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

const nameBytes = 100
const prefixBytes = 155
const recordBytes = 20 * blockBytes
/** Eleven octal digits: 8 GiB. */
const maxUstarSize = 8 ** 11 - 1
const zeros = Buffer.alloc(blockBytes)
