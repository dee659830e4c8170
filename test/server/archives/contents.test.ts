import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'
import { setPublishTime } from '../../helpers/stored-state.js'
import { hasProgram, run } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const shared = shareServer()
const deep = 'd'.repeat(200)

/** Names and contents that are easily got wrong. */
const contents: Record<string, Buffer> = {
  'photos/plain.txt': Buffer.from('some text '.repeat(100)),
  'photos/with space.bin': randomBytes(10_000),
  'photos/Grüße/日本語 🙂.md': Buffer.from('# Grüße'),
  'photos/empty': Buffer.alloc(0),
  'photos/one-block': randomBytes(512),
  [`photos/${'n'.repeat(120)}.txt`]: Buffer.from('a name of more than 100 bytes'),
  [`photos/${deep}/${deep}/file.txt`]: Buffer.from('a path of more than 255 bytes'),
  'photos/large.bin': randomBytes(700_000),
  'photos/large.txt': Buffer.from('a line of text\n'.repeat(60_000)),
}
const emptyFolders = ['photos/nothing here', 'photos/leer/größer']
const modified = new Date('2024-03-05T06:07:08Z')

/** Programs that extract an archive into a folder. */
const programs: [name: string, format: string, program: string, args: (archive: string, into: string) => string[]][] = [
  ['GNU tar', 'tar', 'tar', (archive, into) => ['-xf', archive, '-C', into]],
  ['bsdtar', 'tar', 'bsdtar', (archive, into) => ['-xf', archive, '-C', into]],
  ['tarfile of Python', 'tar', 'python3', (archive, into) => ['-m', 'tarfile', '-e', archive, into]],
  ['unzip', 'zip', 'unzip', (archive, into) => ['-q', archive, '-d', into]],
  ['bsdtar', 'zip', 'bsdtar', (archive, into) => ['-xf', archive, '-C', into]],
  ['bsdtar from a pipe', 'zip', 'sh', (archive, into) => ['-c', 'bsdtar -xf - -C "$1" <"$0"', archive, into]],
  ['zipfile of Python', 'zip', 'python3', (archive, into) => ['-m', 'zipfile', '-e', archive, into]],
  ['7z', 'zip', '7z', (archive, into) => ['x', '-y', `-o${into}`, archive]],
]

describe('an archive of a folder', () => {
  it.each(programs)(
    '%s extracts a %s of a folder with all names, bytes, times and empty folders',
    async (name, format, program, args) => {
      if (!hasProgram(name.startsWith('bsdtar') ? 'bsdtar' : program))
        return console.log(`${name} is missing: its test is skipped`)
      const ann = await ownerOf(contents)
      const archive = await fetchArchive(ann, `/files/photos/?archive=${format}`, format)
      const into = await temporaryFolder()
      const { code, stderr } = await run(program, args(archive, into))
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(await digestsBelow(into)).toEqual(digestsOf(contents))
      for (const folder of emptyFolders) expect(await readdir(join(into, folder))).toEqual([])
      if (name.includes('zipfile')) return
      expect((await stat(join(into, 'photos/plain.txt'))).mtime).toEqual(modified)
    },
  )

  it('GNU tar reads a tar without warnings; digests are included on request', async () => {
    const ann = await shared.newCaller()
    await ann.put('a/b.txt', 'content')
    const plain = await fetchArchive(ann, '/files/a/?archive=tar', 'tar')
    expect(await run('tar', ['-tf', plain])).toEqual({ code: 0, stdout: 'a/b.txt\n', stderr: '' })
    const bytes = await readFile(await fetchArchive(ann, '/files/a/?archive=tar&digests=1', 'tar'), 'latin1')
    expect(bytes).toContain(` FILEJOBS.sha256=${createHash('sha256').update('content').digest('hex')}\n`)
  })

  it('an archive of a folder has its last segment, that of the whole space the full names', async () => {
    const ann = await shared.newCaller()
    for (const name of ['a', 'b/c/d', 'b/e']) await ann.put(name, name)
    for (const [path, names] of [
      ['/files?archive=tar', ['a', 'b/c/d', 'b/e']],
      ['/files/?archive=tar', ['a', 'b/c/d', 'b/e']],
      ['/files/b/?archive=tar', ['b/c/d', 'b/e']],
      ['/files/b/c/?archive=tar', ['c/d']],
    ] as const) {
      const { stdout } = await run('tar', ['-tf', await fetchArchive(ann, path, 'tar')])
      expect(stdout.trim().split('\n')).toEqual(names)
    }
  })

  onlyLocal('a bucket has no files that are put there by hand', () => {
    it('an archive holds files that were put into the data folder by hand, and no symbolic links', async () => {
      const ann = await shared.newCaller()
      const folder = join(await folderOf(ann), 'photos')
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, 'a'), 'by hand')
      await symlink('/etc/passwd', join(folder, 'link'))
      const archive = await fetchArchive(ann, '/files/photos/?archive=tar', 'tar')
      const { stdout } = await run('tar', ['-tf', archive])
      expect(stdout.split('\n')).toContain('photos/a')
      expect(stdout).not.toContain('link')
    })
  })
})

describe('an archive of a selection', () => {
  it('an archive of a selection holds the chosen files and folders once, by their full names', async () => {
    const ann = await shared.newCaller()
    for (const name of ['a', 'b/c/d', 'b/e', 'b/f/g', 'h']) await ann.put(name, name)
    const body = { files: ['b/c/', 'b/c/d', 'a', 'a', 'b/f/g'], archive: 'zip' }
    const answer = await ann.post('/export', body)
    expect(answer.headers['content-disposition']).toContain('filename="files.zip"')
    const path = join(await temporaryFolder(), 'archive.zip')
    await writeFile(path, answer.body)
    const { stdout } = await run('python3', ['-m', 'zipfile', '-l', path])
    expect(stdout.match(/^\S+(?= +\d{4}-)/gm)).toEqual(['b/c/d', 'a', 'b/f/g'])
  })

  it('a link can name what of a folder is sent, by the names in it', async () => {
    const ann = await shared.newCaller()
    for (const name of ['x/a', 'x/b & c', 'x/d/e', 'x/f', 'g']) await ann.put(encodeURI(name).replace('&', '%26'), name)
    const names = async (query: string) => {
      const path = await fetchArchive(ann, `/files/${query}`, 'tar')
      return (await run('tar', ['-tf', path])).stdout.trim().split('\n')
    }
    expect(await names('x/?archive=tar&name=d/&name=b%20%26%20c')).toEqual(['d/e', 'b & c'])
    expect(await names('?archive=tar&name=g&name=x/d/')).toEqual(['x/d/e', 'g'])
    expect((await ann.call('/files/x/?archive=tar&name=g')).status).toBe(404)
    expect((await ann.call('/files/x/?archive=tar&name=../g')).status).toBe(400)
  })

  it('an archive of a selection is named after the folder that holds all of it, and is a tar by default', async () => {
    const ann = await shared.newCaller()
    for (const name of ['x/y/a', 'x/y/b']) await ann.put(name, name)
    const { headers } = await ann.post('/export', { files: ['x/y/a', 'x/y/b'] })
    expect(headers['content-type']).toBe('application/x-tar')
    expect(headers['content-disposition']).toContain('filename="y.tar"')
  })
})

/** An account with these files below `photos/`, the empty folders, and one time of change. */
async function ownerOf(files: Record<string, Buffer>): Promise<Caller> {
  const ann = await shared.newCaller()
  const { username } = (await ann.call('/auth/me')).json
  for (const [name, bytes] of Object.entries(files)) {
    await ann.put(encodeURI(name), bytes)
    await setPublishTime(shared.server.dataFolder, `user/${username}`, name, modified)
  }
  for (const empty of emptyFolders) await ann.call(`/files/${encodeURI(empty)}/`, { method: 'PUT' })
  return ann
}

async function folderOf(ann: Caller): Promise<string> {
  const { username } = (await ann.call('/auth/me')).json
  return join(shared.server.dataFolder, 'uploads/user', username)
}

async function fetchArchive(ann: Caller, path: string, format: string): Promise<string> {
  const { status, body } = await ann.call(path)
  expect(status).toBe(200)
  const target = join(await temporaryFolder(), `archive.${format}`)
  await writeFile(target, body)
  return target
}

function digestsOf(files: Record<string, Buffer>): Record<string, string> {
  const digests = Object.entries(files).map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')])
  return Object.fromEntries(digests)
}

async function digestsBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files: Record<string, Buffer> = {}
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name)
    files[path.slice(folder.length + 1)] = await readFile(path)
  }
  return digestsOf(files)
}
