import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { SharedBrowser } from './browser.js'

const client = readFileSync(
  join(createRequire(import.meta.url).resolve('tus-js-client'), '../../../dist/tus.min.js'),
  'utf8',
)

interface TusPage {
  tus: {
    Upload: new (file: File, options: object) => { start(): void; url: string | null }
  }
}

export interface PageUpload {
  username: string
  /** Random ones; whole times 64 KiB. */
  bytes: number
  retryDelays: number[]
  headers?: Record<string, string>
}

export interface PageUploadEnd {
  /** Of the uploaded file. */
  sha256?: string
  /** What ended it where it failed: the status of the answer, or the error's words. */
  status?: number | string
}

/**
 * Lets tus-js-client, on a page of the dashboard, upload a file named `from-a-page.bin`. `requests` grows with every request
 * of the upload that the page sends.
 */
export async function uploadFromPage(browser: SharedBrowser, url: string, upload: PageUpload) {
  const { username, bytes, retryDelays, headers = {} } = upload
  const page = await browser.signedIn(url, { username, prepare: (page) => page.addInitScript(client) })
  const requests: string[] = []
  page.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (pathname.startsWith('/tus')) requests.push(request.method())
  })
  const ended: Promise<PageUploadEnd> = page.evaluate(
    async ({ size, delays, more }) => {
      const parts = Array.from({ length: size / 65_536 }, () => crypto.getRandomValues(new Uint8Array(65_536)))
      const file = new File(parts, 'from-a-page.bin')
      const { tus } = globalThis as unknown as TusPage
      try {
        await new Promise<void>((resolve, reject) => {
          new tus.Upload(file, {
            endpoint: '/tus',
            headers: { 'Filejobs-Csrf': '1', ...more },
            metadata: { filename: file.name },
            retryDelays: delays,
            onSuccess: () => resolve(),
            onError: reject,
          }).start()
        })
      } catch (error) {
        const { originalResponse } = error as { originalResponse?: { getStatus(): number } }
        return { status: originalResponse?.getStatus() ?? String(error) }
      }
      const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
      return { sha256: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') }
    },
    { size: bytes, delays: retryDelays, more: headers },
  )
  return { ended, requests }
}
