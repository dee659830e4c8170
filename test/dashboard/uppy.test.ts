import { beforeAll, describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { finish, openFolderJob } from '../helpers/folder-jobs.js'
import { startDefaultNginx } from '../helpers/nginx.js'
import { shareServer } from '../helpers/shared-server.js'
import { hasProgram } from '../helpers/system-programs.js'
import { bundleUppy, uploadWithUppy } from '../helpers/uppy.js'

const MiB = 1024 ** 2
const names = Array.from({ length: 20 }, (_, index) => `file-${String(index).padStart(2, '0')}.bin`)

describe.skipIf(!chromiumPath)('Uppy with its defaults, twenty files at once,', () => {
  const shared = shareServer({ shutdownGraceMs: 0 })
  const browser = shareBrowser()
  let script: string
  beforeAll(async () => {
    script = await bundleUppy()
  })

  const direct = async () => shared.server.url
  const nginx = () => startDefaultNginx(shared.server.url)
  const ways = [
    // nginx accepts bodies of at most 1 MiB by default.
    { way: 'direct', url: direct, chunkSize: MiB, bytes: MiB + 1, needs: [] },
    { way: 'direct', url: direct, chunkSize: undefined, bytes: 2 * MiB, needs: [] },
    { way: 'behind a default nginx', url: nginx, chunkSize: MiB, bytes: MiB + 1, needs: ['nginx'] },
    { way: 'behind a default nginx', url: nginx, chunkSize: undefined, bytes: MiB - 1, needs: ['nginx'] },
  ]
  for (const { way, url, chunkSize, bytes, needs } of ways) {
    const title = `stores all of them ${way}, in ${chunkSize === undefined ? 'one request each' : 'chunks of 1 MiB'}`
    it.skipIf(!needs.every(hasProgram))(
      title,
      async () => {
        const caller = await shared.newCaller()
        const page = await openPage(await url())
        const chunks = chunkSize === undefined ? {} : { chunkSize }
        const result = await uploadWithUppy(page, { token: caller.token, files: names.length, bytes, ...chunks })
        expect(result).toEqual({ successful: names, failed: [] })
        expect(await caller.names()).toEqual(names)
        for (const index of [0, 19]) {
          const { body } = await caller.call(`/files/${names[index]}`)
          expect(body.equals(Buffer.alloc(bytes, index))).toBe(true)
        }
      },
      240_000,
    )
  }

  it('stores all of them as one job of many files', async () => {
    const caller = await shared.newCaller()
    const partOf = await openFolderJob(caller, '')
    const page = await openPage(shared.server.url)
    const result = await uploadWithUppy(page, { token: caller.token, files: names.length, bytes: MiB, partOf })
    expect(result).toEqual({ successful: names, failed: [] })
    const { published } = (await finish(caller, partOf)).json
    expect(published).toMatchObject({ files: names.length, bytes: names.length * MiB, failed: 0 })
    expect((await caller.call('/jobs')).json.jobs).toHaveLength(1)
    expect(await caller.names()).toEqual(names)
  }, 240_000)

  async function openPage(url: string) {
    const page = await (await browser.newWindow()).newPage()
    await page.route('**/blank', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
    await page.goto(`${url}/blank`)
    await page.addScriptTag({ content: script })
    return page
  }
})
