import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { startServe } from '../helpers/serve.js'
import { hasProgram, run } from '../helpers/system-programs.js'
import { killDuringTars } from '../helpers/tar-kills.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const long = 'a name of more than a hundred bytes '.repeat(5).trim()
const contents: Record<string, string> = {
  'plain.txt': 'plain',
  'd/e/deep': 'deep',
  [`d/${long}`]: 'long',
  'd/\u00e4\u00f6\u00fc \u{1f600}': 'unicode',
  'd/empty': '',
  large: 'large '.repeat(50_000),
}

/** A folder `photos` with files in it. */
async function makeFolder(): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, content] of Object.entries(contents)) {
    const path = join(folder, 'photos', name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, content)
  }
  await mkdir(join(folder, 'photos/nothing in it'))
  return folder
}

const python = (format: string) =>
  `python3 -c "import tarfile, sys; tar = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.${format}_FORMAT); tar.add('photos'); tar.close()"`
const writers: Record<string, { needs: string; command: string }> = {
  'GNU tar': { needs: 'tar', command: 'tar cf - photos' },
  'GNU tar in the pax format': { needs: 'tar', command: 'tar --format=pax -cf - photos' },
  bsdtar: { needs: 'bsdtar', command: 'bsdtar cf - photos' },
  'Python in the GNU format': { needs: 'python3', command: python('GNU') },
  'Python in the pax format': { needs: 'python3', command: python('PAX') },
}

describe.skipIf(!hasProgram('curl'))('a folder that a program writes as a tar, and curl sends,', () => {
  for (const [writer, { needs, command }] of Object.entries(writers)) {
    it.skipIf(!hasProgram(needs))(`is stored as it is: ${writer}`, async () => {
      const { ann, pipe } = await start()
      const { code, stdout } = await pipe(command, 'files/in/?extract=tar')
      expect(code).toBe(0)
      expect(stdout.trim().split('\n')).toHaveLength(1)
      expect(JSON.parse(stdout)).toMatchObject({
        published: { created: 6, failed: 0 },
        job: { state: 'done', file: 'in/' },
      })
      expect((await ann.names()).sort()).toEqual(
        Object.keys(contents)
          .map((name) => `in/photos/${name}`)
          .sort(),
      )
      for (const [name, content] of Object.entries(contents)) {
        expect((await ann.call(`/files/in/photos/${encodeURIComponent(name)}`)).body.toString()).toBe(content)
      }
      const { folders } = (await ann.call('/files?delimiter=/&prefix=in/photos/')).json
      expect(folders.map(({ name }: { name: string }) => name)).toEqual(['in/photos/d/', 'in/photos/nothing in it/'])
    })
  }

  it('is refused for a symbolic link in it, by name', async () => {
    const { folder, pipe } = await start()
    await symlink('/etc/passwd', join(folder, 'photos/link'))
    const { stdout } = await pipe('tar cf - photos', 'files/?extract=tar')
    expect(JSON.parse(stdout)).toMatchObject({
      status: 400,
      message: expect.stringMatching(/"photos\/link" is a symbolic link/),
    })
  })
})

describe('kill -9 of the server, 20 times during tars', () => {
  it('leaves whole files, and of those published together all or none', async () => {
    expect((await killDuringTars(20)).versions.size).toBeGreaterThan(0)
  }, 400_000)
})

async function start() {
  const folder = await makeFolder()
  const server = await startServe()
  const body = { username: 'ann', password: 'correct horse' }
  const { json } = await new Caller(server, '').call('/auth/signup', { method: 'POST', body })
  return {
    folder,
    ann: new Caller(server, json.token),
    pipe(command: string, path: string) {
      const curl = `curl -sS -T - -H 'Authorization: Bearer ${json.token}' '${server.url}/${path}'`
      return run('bash', ['-c', `cd '${folder}' && ${command} | ${curl}`])
    },
  }
}
