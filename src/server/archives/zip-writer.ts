import { promisify } from 'node:util'
import { crc32, deflateRaw } from 'node:zlib'
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from 'hono/utils/compress'
import type { ArchiveWriter, Chunks, Member, MemberStream } from './archive-writer.js'
import { BlockList } from './block-list.js'
import { deflating, type Packing, storing } from './packing.js'
import { centralRecord, dataDescriptor, endOfZip, localHeader, type ZipEntry, zipEntry } from './zip-records.js'

/** Writes a ZIP file without seeking; with 64-bit fields where they are needed. */
export class ZipWriter implements ArchiveWriter {
  readonly #now: number
  readonly #directory = new BlockList()
  #entries = 0
  #written = 0

  /** `now`: the time of folders, in milliseconds since 1970. */
  constructor(now: number) {
    this.#now = now
  }

  async prepare(member: Member, bytes: Uint8Array): Promise<() => Chunks> {
    const crc = crc32(bytes)
    const packed =
      isCompressible(member) && bytes.length > minDeflatedBytes ? await deflateSmall(bytes, { level }) : bytes
    const isSmaller = packed.length < bytes.length
    return () => {
      const data = isSmaller ? packed : bytes
      const entry: ZipEntry = {
        ...zipEntry(member, this.#now, this.#written),
        method: isSmaller ? 'deflated' : 'stored',
        crc,
        size: bytes.length,
        packedSize: data.length,
      }
      const chunks = this.#count([localHeader(entry), data])
      this.#record(entry)
      return chunks
    }
  }

  begin(member: Member): MemberStream {
    // Deflated in any case: readers of streams find the end of such data only, not of stored data.
    const packing: Packing = isCompressible(member) ? deflating(level) : storing()
    const entry: ZipEntry = { ...zipEntry(member, this.#now, this.#written), method: 'deflated', isStreamed: true }
    const pack = (chunks: Chunks) => {
      for (const { length } of chunks) entry.packedSize += length
      return this.#count(chunks)
    }
    return {
      head: this.#count([localHeader(entry)]),
      push: async (bytes) => {
        entry.crc = crc32(bytes, entry.crc)
        entry.size += bytes.length
        return pack(await packing.push(bytes))
      },
      end: async () => {
        const last = pack(await packing.end())
        this.#record(entry)
        return [...last, ...this.#count([dataDescriptor(entry)])]
      },
      close: () => packing.close(),
    }
  }

  *finish(): Iterable<Uint8Array> {
    yield* this.#directory.blocks()
    yield endOfZip({ entries: this.#entries, bytes: this.#directory.bytes, offset: this.#written })
  }

  #record(entry: ZipEntry): void {
    this.#entries++
    this.#directory.append(centralRecord(entry))
  }

  #count(chunks: Chunks): Chunks {
    for (const { length } of chunks) this.#written += length
    return chunks
  }
}

/** Media are compressed already. */
function isCompressible({ type }: Member): boolean {
  return COMPRESSIBLE_CONTENT_TYPE_REGEX.test(type)
}

const deflateSmall = promisify<Uint8Array, { level: number }, Uint8Array>((bytes, options, callback) =>
  deflateRaw(bytes, options, callback),
)
const level = 1
/** A header takes more than deflating a smaller one would save. */
const minDeflatedBytes = 128
