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
  /** What is done before the page is loaded. */
  prepare?(page: Page): Promise<void>
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
    context.setDefaultTimeout(10_000)
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
    async signedIn(url, { username = `person-${++accounts}`, prepare, ...options } = {}) {
      const context = await newWindow(options)
      const page = await context.newPage()
      await prepare?.(page)
      await page.goto(url)
      await page.getByText('Create account').first().click()
      await page.getByLabel('Username').fill(username)
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Create account' }).click()
      await page.getByText('Live', { exact: true }).waitFor()
      return page
    },
  }
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
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
