import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openListing } from '../../../../dist/server/stores/local/listing.js'
import { asNobodyInstead } from '../../../helpers/as-nobody.js'
import { shareServer } from '../../../helpers/shared-server.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

const ann = { role: 'user', username: 'ann' }
const everything = { prefix: '', after: '', search: '', limit: 10_000 }

describe('a file listing', () => {
  it('of 4,000 files returns each once, page by page, during concurrent listings', async () => {
    const { listing, folder } = await open()
    const names = Array.from({ length: 4000 }, (_, index) => `file-${String((index * 7919) % 4000).padStart(5, '0')}`)
    execFileSync('xargs', ['touch'], { cwd: folder, input: names.join('\n') })
    const found: string[] = []
    for (let after = ''; ; after = found.at(-1)!) {
      const [page, other] = await Promise.all([
        listing.list(ann, { ...everything, after, limit: 700 }),
        listing.list({ role: 'user', username: 'bob' }, everything),
      ])
      expect(other).toEqual([])
      if (page.length === 0) break
      found.push(...page.map(({ name }) => name))
    }
    expect(found).toEqual(names.sort())
    const searched = await listing.list(ann, { ...everything, search: 'E-01999' })
    expect(searched.map(({ name }) => name)).toEqual(['file-01999'])
  })

  it('skips an unreadable folder', async () => {
    const { folders, folder } = await open()
    await mkdir(join(folder, 'closed'))
    await writeFile(join(folder, 'closed/secret'), 'x')
    await writeFile(join(folder, 'open'), 'x')
    await chmod(join(folder, 'closed'), 0)
    await chmod(folders.uploads, 0o755)
    for (const path of [join(folders.uploads, 'user'), folder, join(folders.uploads, '..')]) await chmod(path, 0o755)
    await asNobodyInstead(async () => {
      const listing = openListing(folders)
      const files = await listing.list(ann, everything).finally(() => listing.close())
      expect(files.map(({ name }) => name)).toEqual(['open'])
    })
  })

  it('fails with the error of the system, so that a lack of descriptors is answered as one', async () => {
    const { listing } = await open()
    await expect(listing.removeTree(`/${'x'.repeat(5000)}`)).rejects.toMatchObject({ code: 'ENAMETOOLONG' })
  })

  it('counts the bytes of all files, including those with invalid names', async () => {
    const { listing, folder } = await open()
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'sub/a'), 'abc')
    await writeFile(join(folder, 'tab\there'), 'defg')
    expect(await listing.usage(ann)).toBe(7)
    expect(await listing.usage({ role: 'user', username: 'nobody' })).toBe(0)
  })
})

describe('a file in uploads/ with an invalid name', () => {
  const shared = shareServer()

  it('is not listed, and every listed file can be read, moved and removed', async () => {
    const caller = await shared.newCaller()
    const { username } = (await caller.call('/auth/me')).json
    const folder = join(shared.server.dataFolder, 'uploads/user', username)
    await mkdir(join(folder, 'o\u0308'), { recursive: true })
    const named = ['.hidden', 'a b', 'größe', '100%', '~', 'a?b#c&d', '\u{1f600}']
    const unnamable = ['U\u0308ber', 'back\\slash', 'tab\there', 'x'.repeat(241), 'Ops:x', 'o\u0308/a', '\u0085']
    for (const name of [...named, ...unnamable]) await writeFile(join(folder, name), 'x')
    execFileSync('sh', ['-c', 'printf x > "$(printf "bad\\377utf8")"; mkfifo pipe; mkdir sub; ln -s sub link'], {
      cwd: folder,
    })
    const listed = await caller.names()
    expect(listed).toEqual([...named].sort())
    for (const name of listed) {
      const path = `/files/${encodeURIComponent(name)}`
      expect((await caller.call(path)).status).toBe(200)
      expect((await caller.post(`${path}/move`, { to: `sub/${name}` })).status).toBe(204)
      expect((await caller.call(`/files/sub/${encodeURIComponent(name)}`, { method: 'DELETE' })).status).toBe(204)
    }
    expect(await caller.names()).toEqual([])
  })
})

async function open() {
  const data = await temporaryFolder()
  const folders = { uploads: join(data, 'uploads'), meta: join(data, 'meta') }
  const folder = join(folders.uploads, 'user/ann')
  await mkdir(folder, { recursive: true })
  await mkdir(folders.meta)
  const listing = openListing(folders)
  onTestFinished(() => listing.close())
  return { folders, folder, listing }
}
