import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shareServer } from '../helpers/shared-server.js'
import { hasProgram, run } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const files = { 'photos/a b.txt': 'a', 'photos/sub/ä.txt': 'b'.repeat(70_000), 'photos/sub/deep/c': '' }

describe.skipIf(!hasProgram('rclone'))('rclone reads', () => {
  const shared = shareServer()

  async function account() {
    const ann = await shared.newCaller()
    for (const [name, content] of Object.entries(files)) await ann.put(encodeURI(name), content)
    const into = await temporaryFolder()
    const rclone = async (...args: string[]) => {
      const result = await run('rclone', ['--config', join(into, 'none.conf'), '--retries', '1', ...args])
      expect(result).toMatchObject({ code: 0 })
      return result.stdout
    }
    return { ann, into, rclone, authorization: `Authorization: Bearer ${ann.token}` }
  }

  it('a file by its address', async () => {
    const { into, rclone, authorization } = await account()
    const url = `${shared.server.url}/files/photos/a%20b.txt`
    await rclone('copyurl', '--header', authorization, url, join(into, 'copy'))
    expect(await readFile(join(into, 'copy'), 'utf8')).toBe('a')
  })

  it.each(['tar', 'zip'])('a folder as a %s', async (format) => {
    const { into, rclone, authorization } = await account()
    const archive = join(into, `photos.${format}`)
    const url = `${shared.server.url}/files/photos/?archive=${format}`
    await rclone('copyurl', '--header', authorization, url, archive)
    const [program, ...args] = format === 'tar' ? ['tar', '-tf'] : ['python3', '-m', 'zipfile', '-l']
    if (!hasProgram(program!)) return console.log(`${program} is missing: nothing reads what rclone has copied`)
    const { code, stdout } = await run(program!, [...args, archive])
    expect(code).toBe(0)
    for (const name of ['photos/a b.txt', 'photos/sub/deep/c']) expect(stdout).toContain(name)
  })

  it('the folder of a link, with everything below it', async () => {
    const { ann, into, rclone } = await account()
    const many = Array.from({ length: 150 }, (_, index) => `many/${index}`)
    for (const name of many) await ann.put(`photos/${name}`, name)
    const { url } = (await ann.post('/shares', { filename: 'photos/', expiresIn: 3600 })).json
    await rclone('copy', '--http-url', `${url}/`, '--http-headers', 'Accept,text/html', ':http:', join(into, 'copy'))
    for (const [name, content] of Object.entries(files)) {
      expect(await readFile(join(into, 'copy', name.slice('photos/'.length)), 'utf8')).toBe(content)
    }
    for (const name of many) expect(await readFile(join(into, 'copy', name), 'utf8')).toBe(name)
  })
})
