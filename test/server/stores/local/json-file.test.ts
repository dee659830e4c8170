import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openJsonFile } from '../../../../dist/server/stores/local/json-file.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

const schema = z.object({ count: z.int() })

describe('a JSON file', () => {
  it('is not created before it is saved', async () => {
    const folder = await temporaryFolder()
    await openJsonFile(join(folder, 'x.json'), schema, { count: 0 })
    expect(await readdir(folder)).toEqual([])
  })

  it('contains the data set before the save, and leaves no temporary file', async () => {
    const folder = await temporaryFolder()
    const file = await openJsonFile(join(folder, 'x.json'), schema, { count: 0 })
    file.data.count = 3
    await file.save()
    expect(JSON.parse(await readFile(join(folder, 'x.json'), 'utf8'))).toEqual({ count: 3 })
    expect(await readdir(folder)).toEqual(['x.json'])
    expect((await stat(join(folder, 'x.json'))).mode & 0o777).toBe(0o600)
  })

  it('is written a few times for many saves, with the newest data last', async () => {
    const folder = await temporaryFolder()
    const file = await openJsonFile(join(folder, 'x.json'), schema, { count: 0 })
    const inodes = new Set<number>()
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        file.data.count = i
        await file.save()
        inodes.add((await stat(join(folder, 'x.json'))).ino)
      }),
    )
    expect(JSON.parse(await readFile(join(folder, 'x.json'), 'utf8'))).toEqual({ count: 99 })
    expect(inodes.size).toBeLessThan(5)
  })

  it('rejects the saves of a failed write, and works again afterwards', async () => {
    const folder = await temporaryFolder()
    const file = await openJsonFile(join(folder, 'x.json'), schema, { count: 1 })
    await mkdir(join(folder, '.x.json.tmp'))
    const results = await Promise.allSettled([file.save(), file.save()])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await rm(join(folder, '.x.json.tmp'), { recursive: true })
    await file.save()
    expect(JSON.parse(await readFile(join(folder, 'x.json'), 'utf8'))).toEqual({ count: 1 })
  })
})
