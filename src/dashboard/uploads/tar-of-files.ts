export interface TarItem {
  /** That of a folder ends with a slash. */
  name: string
  bytes: Uint8Array<ArrayBuffer>
}

/** A tar (POSIX.1-2001): a header of 512 bytes before each file, and a PAX record for a name that does not fit into it. */
export function tarOf(items: readonly TarItem[]): Uint8Array<ArrayBuffer> {
  const members: Member[] = []
  for (const { name, bytes } of items) {
    const isPlain = /^[\x20-\x7e]{1,100}$/.test(name)
    if (!isPlain) members.push({ name: 'pax', bytes: pathRecord(name), type: 'x' })
    members.push({ name: isPlain ? name : 'file', bytes, type: name.endsWith('/') ? folderType : fileType })
  }
  const sizes = members.map(({ bytes }) => block + whole(bytes.length))
  // One piece: the browser handles each piece of a body by itself. It ends with two empty blocks.
  const tar = new Uint8Array(sizes.reduce((sum, size) => sum + size, 2 * block))
  let at = 0
  for (const [index, member] of members.entries()) {
    writeHeader(tar.subarray(at, at + block), member)
    tar.set(member.bytes, at + block)
    at += sizes[index]!
  }
  return tar
}

interface Member extends TarItem {
  type: string
}

const block = 512
const fileType = '0'
const folderType = '5'

/** The bytes are filled up to whole blocks. */
function whole(bytes: number): number {
  return Math.ceil(bytes / block) * block
}

function writeHeader(header: Uint8Array, { name, bytes, type }: Member): void {
  const put = (at: number, text: string) => encoder.encodeInto(text, header.subarray(at))
  put(0, name)
  put(100, `0000644\0${'0000000\0'.repeat(2)}${octal(bytes.length, 11)}\0${octal(0, 11)}\0        ${type}`)
  put(257, 'ustar\x0000')
  // The checksum is computed as if its own field were blank.
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(148, `${octal(sum, 6)}\0`)
}

function octal(number: number, digits: number): string {
  return number.toString(8).padStart(digits, '0')
}

/** `LENGTH path=NAME\n`, where the length includes its own digits. */
function pathRecord(name: string): Uint8Array<ArrayBuffer> {
  const rest = encoder.encode(` path=${name}\n`).length
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return encoder.encode(`${length} path=${name}\n`)
}

const encoder = new TextEncoder()
