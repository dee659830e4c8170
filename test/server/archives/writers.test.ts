import { createWriteStream } from 'node:fs'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import type { ArchiveWriter, Member } from '../../../dist/server/archives/archive-writer.js'
import { TarWriter } from '../../../dist/server/archives/tar-writer.js'
import { ZipWriter } from '../../../dist/server/archives/zip-writer.js'
import { run } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const now = Date.UTC(2026, 10, 29)

describe('a ZIP file', () => {
  it('a ZIP file of 70,000 entries is read by others, and takes less than 64 MiB while it is written', async () => {
    const writer = new ZipWriter(now)
    const before = process.memoryUsage().rss
    let peak = before
    const path = await written(writer, async function* () {
      for (let index = 0; index < 70_000; index++) {
        const place = await writer.prepare(memberOf(`folder/file number ${index}.bin`, 10), Buffer.alloc(10, index))
        yield* place()
        if (index % 5000 === 0) peak = Math.max(peak, process.memoryUsage().rss)
      }
    })
    expect(peak - before).toBeLessThan(64 * 1024 ** 2)
    const count =
      'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), z.read(z.namelist()[69999]).hex())'
    const { stdout, stderr } = await run('python3', ['-c', count, path])
    expect({ stdout, stderr }).toMatchObject({ stdout: `70000 ${'6f'.repeat(10)}\n` })
  })

  it.each(['application/octet-stream', 'text/plain'])(
    'a ZIP file has 64-bit sizes for an entry of more than 4 GiB of %s, and offsets after it',
    async (type) => {
      const writer = new ZipWriter(now)
      const path = await written(writer, async function* () {
        // The declared size decides the form; a test of the soak sends the bytes of such an entry.
        const stream = writer.begin({ ...memberOf('large', 5 * 1024 ** 3), type })
        yield* stream.head
        yield* await stream.push(Buffer.from('not as large as it could be'))
        yield* await stream.end()
        stream.close()
        yield* (await writer.prepare(memberOf('after', 3), Buffer.from('abc')))()
      })
      const { code, stdout } = await run('unzip', ['-p', path])
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'not as large as it could beabc' })
      expect((await run('python3', ['-m', 'zipfile', '-t', path])).stdout).toContain('Done testing')
    },
  )
})

describe('a tar file', () => {
  it('a tar has the size of an entry of more than 8 GiB', async () => {
    const writer = new TarWriter({ now, digests: false })
    const size = 9 * 1024 ** 3
    const path = await written(writer, async function* () {
      yield* writer.begin(memberOf('large', size)).head
    })
    await truncate(path, size + 10_240)
    const { stdout } = await run('tar', ['-tvf', path])
    expect(stdout).toContain(String(size))
  })

  it('a tar with a time before 1970 is read by others', async () => {
    const writer = new TarWriter({ now, digests: false })
    const path = await written(writer, async function* () {
      yield* (await writer.prepare({ ...memberOf('old', 1), modifiedAt: -86_400_000 }, Buffer.from('x')))()
    })
    expect(await run('tar', ['-tf', path])).toEqual({ code: 0, stdout: 'old\n', stderr: '' })
  })
})

function memberOf(name: string, size: number): Member {
  return { name, size, modifiedAt: now, sha256: null, type: 'application/octet-stream' }
}

async function written(writer: ArchiveWriter, members: () => AsyncGenerator<Uint8Array>): Promise<string> {
  const path = join(await temporaryFolder(), 'archive')
  await pipeline(async function* () {
    yield* members()
    yield* writer.finish()
  }, createWriteStream(path))
  return path
}
