import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { sqlField, sqlIn } from '../helpers/sql-editor.js'
import { makeTable } from '../helpers/tables.js'

const desktop = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }
const layouts = [
  ['on a desktop', desktop],
  ['on a phone, in the dark', { viewport: { width: 320, height: 640 }, isMobile: true, colorScheme: 'dark' }],
] as const
const editorScript = /\/sql-editor-.*\.js$/

describe.skipIf(!chromiumPath)('the field for SQL', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open(layout: object = desktop, prepare?: (page: Page) => Promise<unknown>) {
    const username = `writer-${++people}`
    const page = await browser.signedIn(shared.server.url, {
      username,
      async prepare(page) {
        await page.addInitScript(axe)
        await prepare?.(page)
      },
      ...layout,
    })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    await makeTable(caller, 'pets', 'name,kind of pet\nRex,dog\nMia,cat\n')
    await page.goto(`${shared.server.url}/tables`)
    return page
  }

  const answer = (page: Page) => page.getByRole('region', { name: 'Answer' }).locator('tbody tr td')

  it.each(layouts)('completes keywords, tables and columns, and runs by Ctrl+Enter, %s', async (_, layout) => {
    const page = await open(layout)
    await sqlField(page).fill('')
    await page.keyboard.type('sel')
    await page.getByRole('option', { name: 'select', exact: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.type(' kin')
    const column = page.getByRole('option', { name: 'kind of pet' })
    await column.waitFor()
    expect(await column.textContent()).toContain('pets')
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    await page.keyboard.press('Enter')
    await page.keyboard.type(' from pe')
    await page.getByRole('option', { name: 'pets', exact: true }).waitFor()
    await page.keyboard.press('Enter')
    expect(await sqlIn(page)).toBe('select "kind of pet" from pets')
    await page.keyboard.press('Control+Enter')
    await expect.poll(() => answer(page).allTextContents()).toEqual(['dog', 'cat'])
    expect(new URL(page.url()).searchParams.get('sql')).toBe('select "kind of pet" from pets')
  })

  it.each(layouts)('is coloured within the policy of the page, %s', async (_, layout) => {
    const page = await open(layout)
    await sqlField(page).fill("select 'Rex' as name, 12 as age -- a note")
    const colourOf = (text: string) =>
      sqlField(page)
        .locator('.cm-line span', { hasText: text })
        .first()
        .evaluate((span) => getComputedStyle(span).color)
    await expect
      .poll(async () => new Set(await Promise.all(["'Rex'", '12', '-- a note', 'select'].map(colourOf))).size)
      .toBe(4)
    expect(await page.locator('style').count()).toBe(0)
    expect(await findFaults(page)).toEqual([])
  })

  it('is left by Tab, also while names are offered', async () => {
    const page = await open()
    await sqlField(page).fill('')
    await page.keyboard.type('sel')
    await page.getByRole('option', { name: 'select', exact: true }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Run')
    await expect.poll(() => page.getByRole('option').count()).toBe(0)
    expect(await sqlIn(page)).toBe('sel')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.type('ect 1 as one')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+Enter')
    await expect.poll(() => answer(page).allTextContents()).toEqual(['1'])
  })

  it('is described by the error of its query', async () => {
    const page = await open()
    await sqlField(page).fill('select nothing from pets')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').waitFor()
    expect(await sqlField(page).getAttribute('aria-invalid')).toBe('true')
    const described = await sqlField(page).evaluate((field) => {
      const id = field.getAttribute('aria-describedby') ?? ''
      return (field.getRootNode() as ShadowRoot).getElementById(id)?.textContent
    })
    expect(described).toContain('"nothing"')
    await sqlField(page).fill('select name from pets')
    await page.keyboard.press('Control+Enter')
    await answer(page).first().waitFor()
    expect(await sqlField(page).getAttribute('aria-invalid')).toBe('false')
  })

  it('is a plain one until its editor is loaded', async () => {
    const page = await open(desktop, (page) => page.route(editorScript, (route) => route.abort()))
    const plain = page.getByLabel('SQL')
    await plain.fill('select name from pets')
    expect(await findFaults(page)).toEqual([])
    await plain.press('Control+Enter')
    await expect.poll(() => answer(page).allTextContents()).toEqual(['Rex', 'Mia'])
  })
})
