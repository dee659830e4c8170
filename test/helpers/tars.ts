/** An entry of a tar that a test makes by hand, so that it can be wrong. */
export interface TarPart {
  name: string | Buffer
  content?: string | Buffer
  /** The type flag; default `0`, a file. */
  type?: string
  /** Of the header; default the length of the content. */
  size?: number
  link?: string
  /** Extended header before it. */
  pax?: Record<string, string>
  /** Changes the header after its checksum was computed. */
  damage?: (header: Buffer) => void
}

/** A tar of these entries, with its end marker unless `ends` is false. */
export function tarOf(parts: TarPart[], { ends = true } = {}): Buffer {
  return Buffer.concat([...parts.flatMap(blocksOf), Buffer.alloc(ends ? 1024 : 0)])
}

function blocksOf({ pax, ...part }: TarPart): Buffer[] {
  const content = Buffer.from(part.content ?? '')
  const own = [headerOf(part, part.size ?? content.length), padded(content)]
  if (!pax) return own
  return [...blocksOf({ name: 'pax', type: 'x', content: recordsOf(pax) }), ...own]
}

/** Extended header records (POSIX.1-2024, pax, "pax Extended Header"). */
export function recordsOf(pax: Record<string, string>): Buffer {
  return Buffer.concat(
    Object.entries(pax).map(([key, value]) => {
      const rest = Buffer.from(` ${key}=${value}\n`)
      let length = rest.length
      while (length < rest.length + String(length).length) length = rest.length + String(length).length
      return Buffer.concat([Buffer.from(String(length)), rest])
    }),
  )
}

function headerOf({ name, type = '0', link = '', damage }: TarPart, size: number): Buffer {
  const header = Buffer.alloc(512)
  Buffer.from(name).copy(header, 0, 0, 100)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  damage?.(header)
  return header
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
