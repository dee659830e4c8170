import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where the system's Chromium is; undefined where there is none, and its tests are skipped. */
export const chromiumPath = places.find((path) => existsSync(path))

if (!chromiumPath) console.warn('No Chromium on this system: the tests of the dashboard are skipped.')

export const password = 'correct horse'

export interface SharedBrowser {
  /** A person's window of their own: cookies are shared by its pages only. It is closed with the test. */
  newWindow(options?: BrowserContextOptions): Promise<BrowserContext>
  /** A page of the dashboard in a window of its own, signed in as a new account. */
  signedIn(url: string, options?: SignedInOptions): Promise<Page>
}

export interface SignedInOptions extends BrowserContextOptions {
  username?: string
  role?: string
  /** Where the page begins, such as `/#/jobs`. */
  path?: string
  /** What is done before the page is loaded. */
  prepare?(page: Page): Promise<unknown>
}

/** One Chromium for the tests of a file. A page that meets an error, or breaks its own policy, fails its test. */
export function shareBrowser(): SharedBrowser {
  let browser: Browser
  let accounts = 0
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser.close())

  async function newWindow(options: BrowserContextOptions = {}) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(60_000)
    const errors: string[] = []
    context.on('page', (page) => watch(page, errors))
    onTestFinished(async () => {
      await context.close()
      expect(errors).toEqual([])
    })
    return context
  }

  return {
    newWindow,
    async signedIn(url, { username = `person-${++accounts}`, role = 'user', path = '/', prepare, ...options } = {}) {
      const context = await newWindow(options)
      await context.addCookies([await logIn(url, username, role)])
      const page = await context.newPage()
      await prepare?.(page)
      await page.goto(url + path)
      await page.getByText('Live', { exact: true }).waitFor()
      return page
    },
  }
}

/** The cookie of a login, or of a signup, as the page would have got it. */
async function logIn(url: string, username: string, role: string) {
  const body = { username, role, password: role === 'admin' ? 'admin-password' : password, signup: role !== 'admin' }
  const answer = await fetch(`${url}/auth/cookie`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Filejobs-Csrf': '1', Origin: url },
    body: JSON.stringify(body),
  })
  const [, name, value] = /^([^=]+)=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? []
  if (!name || !value) throw new Error(`login of ${role}:${username}: ${answer.status} ${await answer.text()}`)
  return { name, value, url, httpOnly: true, sameSite: 'Strict' as const }
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    timeout: 60_000,
    ...(chromiumPath ? { executablePath: chromiumPath } : {}),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Drops files and folders of this machine onto the middle of the page, as a person with a mouse does. */
export async function drop(page: Page, files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { width, height } = page.viewportSize()!
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    const data = { items: [], files, dragOperationsMask: 1 }
    await session.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2, data })
  }
  await session.detach()
}

function watch(page: Page, errors: string[]): void {
  page.on('pageerror', (error) => errors.push(`${error.stack}`))
  page.on('console', (message) => {
    // Answers that refuse are shown to the person; Chromium notes them all the same.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
}
