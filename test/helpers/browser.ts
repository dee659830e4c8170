import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Download, Locator, Page } from 'playwright-core'
import { beforeAll, expect, onTestFinished } from 'vitest'
import { chromiumPath, foreignHost, openChromium } from './chromium.js'
import { temporaryFolder } from './temporary-folder.js'

export { chromiumPath, foreignHost }

export const password = 'correct horse'

export interface SharedBrowser {
  /** A person's window of their own: cookies are shared by its pages only. It is closed with the test. */
  newWindow(options?: WindowOptions): Promise<BrowserContext>
  /** A page of the dashboard in a window of its own, signed in as a new account. */
  signedIn(url: string, options?: SignedInOptions): Promise<Page>
}

export interface WindowOptions extends BrowserContextOptions {
  /** For a page that is attacked; default false. */
  mayMeetErrors?: boolean
}

export interface SignedInOptions extends WindowOptions {
  username?: string
  role?: string
  /** Where the page begins, such as `/jobs`. */
  path?: string
  /** For a person who keeps the tray of uploads and downloads open; default false: closed until it needs them. */
  keepsTrayOpen?: boolean
  /** Runs before the page is loaded. */
  prepare?(page: Page): Promise<unknown>
}

/** The Chromium of the process. A page that meets an error, or breaks its own policy, fails its test. */
export function shareBrowser(): SharedBrowser {
  let browser: Browser
  let accounts = 0
  beforeAll(async () => {
    browser = await openChromium()
  })

  async function newWindow({ mayMeetErrors = false, ...options }: WindowOptions = {}) {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(60_000)
    const errors: string[] = []
    context.on('page', (page) => watch(page, errors))
    onTestFinished(async () => {
      await context.close()
      if (!mayMeetErrors) expect(errors).toEqual([])
    })
    return context
  }

  return {
    newWindow,
    async signedIn(url, { username = `person-${++accounts}`, role = 'user', path = '/', prepare, ...given } = {}) {
      const { keepsTrayOpen = false, ...options } = given
      const context = await newWindow(options)
      // Pages of no origin have no storage.
      const keepOpen = () => origin !== 'null' && localStorage.setItem('filejobs-tray', 'open')
      if (keepsTrayOpen) await context.addInitScript(keepOpen)
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
  // The name is one of the browser's only.
  const answer = await fetch(`${url.replace(foreignHost, '127.0.0.1')}/auth/cookie`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Filejobs-Csrf': '1', Origin: url },
    body: JSON.stringify(body),
  })
  const [, name, value] = /^([^=]+)=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? []
  if (!name || !value) throw new Error(`login of ${role}:${username}: ${answer.status} ${await answer.text()}`)
  return { name, value, url, httpOnly: true, sameSite: 'Strict' as const }
}

/** Opens what stands behind the name of who is signed in. */
export async function openAccountMenu(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account menu of/ }).click()
}

export async function signOut(page: Page): Promise<void> {
  await openAccountMenu(page)
  await page.getByRole('button', { name: 'Sign out' }).last().click()
}

/** The row of a file, or of a folder, whose name ends with a slash. */
export function rowOf(page: Page, name: string): Locator {
  return page.locator(`.entry-row[data-file=${JSON.stringify(name)}]`)
}

/** Chooses an action, such as `Delete`, from the menu of a file or folder. */
export async function choose(page: Page, name: string, action: string): Promise<void> {
  const row = rowOf(page, name)
  await row.getByRole('button', { name: `Actions for ${name}` }).click()
  await row.getByRole('button', { name: action, exact: true }).click()
}

/** The downloads of a page. */
export async function contentOf(download: Download): Promise<Buffer> {
  const path = join(await temporaryFolder(), 'download')
  await download.saveAs(path)
  return readFile(path)
}

/** Drops files and folders of this machine onto a part of the page, by default onto its top, where no row of a folder is. */
export async function drop(page: Page, files: string[], onto?: Locator): Promise<void> {
  const box = await onto?.boundingBox()
  const session = await page.context().newCDPSession(page)
  const { x, y, width, height } = box ?? { x: 0, y: 0, width: page.viewportSize()!.width, height: 40 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    const data = { items: [], files, dragOperationsMask: 1 }
    await session.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data })
  }
  await session.detach()
}

function watch(page: Page, errors: string[]): void {
  page.on('pageerror', (error) => errors.push(`${error.stack}`))
  page.on('console', (message) => {
    // The page shows error responses to the user; Chromium logs them anyway.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text())
  })
}
