export interface TarItem {
  /** That of a folder ends with a slash. */
  name: string
  bytes: ArrayBuffer
}

/** A tar (POSIX.1-2001): a header of 512 bytes before each file, and a PAX record for a name that does not fit into it. */
export function tarOf(items: readonly TarItem[]): Blob {
  const parts: BlobPart[] = []
  const add = (name: string, bytes: ArrayBuffer | Uint8Array<ArrayBuffer>, type: string) =>
    parts.push(headerOf(name, bytes.byteLength, type), bytes, new Uint8Array(-bytes.byteLength & (block - 1)))
  for (const { name, bytes } of items) {
    const isPlain = /^[\x20-\x7e]{1,100}$/.test(name)
    if (!isPlain) add('pax', pathRecord(name), 'x')
    add(isPlain ? name : 'file', bytes, name.endsWith('/') ? folderType : fileType)
  }
  return new Blob([...parts, new Uint8Array(2 * block)])
}

const block = 512
const fileType = '0'
const folderType = '5'

function headerOf(name: string, size: number, type: string): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(block)
  const put = (at: number, text: string) => {
    for (const [index, character] of [...text].entries()) header[at + index] = character.charCodeAt(0)
  }
  put(0, name)
  put(100, `0000644\0${'0000000\0'.repeat(2)}${octal(size, 11)}\0${octal(0, 11)}\0        ${type}`)
  put(257, 'ustar\x0000')
  // The checksum is computed as if its own field were blank.
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(148, `${octal(sum, 6)}\0`)
  return header
}

function octal(number: number, digits: number): string {
  return number.toString(8).padStart(digits, '0')
}

/** `LENGTH path=NAME\n`, where the length includes its own digits. */
function pathRecord(name: string): Uint8Array<ArrayBuffer> {
  const rest = new TextEncoder().encode(` path=${name}\n`).length
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return new TextEncoder().encode(`${length} path=${name}\n`)
}
