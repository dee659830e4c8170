import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Filejobs as Library } from '../../dist/client/filejobs.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import type { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const built = fileURLToPath(new URL('../../dist', import.meta.url))
const MiB = 1024 ** 2

interface LibraryPage {
  Filejobs: typeof Library
}

describe.skipIf(!chromiumPath)('the library in a page of another origin', () => {
  const shared = shareServer({ corsOrigin: '*' })
  const browser = shareBrowser()
  const requested: string[] = []

  it('uploads a large file with progress, and exports it again', async () => {
    const ann = await shared.newCaller()
    const page = await openPage(ann)
    const result = await page.evaluate(async (bytes) => {
      const { library } = globalThis as unknown as { library: Library }
      const content = new Uint8Array(bytes).map((_, index) => index % 251)
      const progress: number[] = []
      const file = new File([content], 'photo.raw')
      const { name, size, sha256 } = await library.upload(file, { onProgress: (now) => progress.push(now.bytes) })
      const exported = await library.export(name)
      const received = new Uint8Array(await new Response(exported.stream).arrayBuffer())
      const isSame = received.length === bytes && received.every((byte, index) => byte === index % 251)
      return { name, size, isSame, isKnown: exported.sha256 === sha256, progress }
    }, 5 * MiB)
    expect(result).toMatchObject({ name: 'photo.raw', size: 5 * MiB, isSame: true, isKnown: true })
    expect(result.progress).toEqual([...result.progress].sort((a, b) => a - b))
    expect(result.progress.length).toBeGreaterThan(2)
    // No module of Node and no other package is asked for.
    expect(requested.filter((path) => !/^\/($|favicon\.ico$|dist\/(client|protocol)\/)/.test(path))).toEqual([])
  })

  it('watches its upload, stops it, and gets the receipt', async () => {
    const ann = await shared.newCaller()
    const page = await openPage(ann)
    const result = await page.evaluate(async (bytes) => {
      const { library } = globalThis as unknown as { library: Library }
      const leave = new AbortController()
      const options = { name: 'slow', rateLimit: 500_000, signal: leave.signal }
      const upload = library.upload(new Blob([new Uint8Array(bytes)]), options).catch((error) => error)
      for await (const { job } of library.jobs.watch()) {
        if (!job || job.bytes === 0) continue
        leave.abort()
        break
      }
      const { code, receipt } = await upload
      return { code, cleanedUp: receipt?.cleanedUp }
    }, 5 * MiB)
    expect(result).toEqual({ code: 'aborted', cleanedUp: true })
    expect(await ann.names()).toEqual([])
  })

  it('says that paths need Node', async () => {
    const page = await openPage(await shared.newCaller())
    const message = await page.evaluate(async () => {
      const { library } = globalThis as unknown as { library: Library }
      return library.upload('backup.iso').catch((error: unknown) => String(error))
    })
    expect(message).toMatch(/^TypeError: Paths .* Node/)
  })

  async function openPage(caller: Caller): Promise<Page> {
    const origin = await serveModules(requested)
    const context = await browser.newWindow()
    const page = await context.newPage()
    await page.goto(origin)
    await page.waitForFunction(() => 'Filejobs' in globalThis)
    const { url, token } = caller
    await page.evaluate(
      (account) => {
        const { Filejobs } = globalThis as unknown as LibraryPage
        Object.assign(globalThis, { library: new Filejobs(account) })
      },
      { server: url, token },
    )
    return page
  }
})

/** A site that has the built modules as they are, and a page that imports them. */
async function serveModules(requested: string[]): Promise<string> {
  const server = http.createServer(async ({ url = '' }, response) => {
    requested.push(url)
    if (url === '/favicon.ico') return response.writeHead(204).end()
    if (url === '/') return response.setHeader('Content-Type', 'text/html').end(html)
    const text = await readFile(built + url.replace('/dist', '')).catch(() => null)
    response.writeHead(text === null ? 404 : 200, { 'Content-Type': 'text/javascript' }).end(text ?? '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

const html = `<!doctype html><script type="module">
import { Filejobs } from '/dist/client/filejobs.js'
globalThis.Filejobs = Filejobs
</script>`
