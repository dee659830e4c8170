import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { makeTable } from '../helpers/tables.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1280, height: 800 } }],
  ['on a phone', { viewport: { width: 320, height: 640 }, isMobile: true }],
] as const

describe.skipIf(!chromiumPath)('the values of a table’s columns', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open(content: string, layout: object) {
    const username = `curious-${++people}`
    const prepare = (page: Page) => page.addInitScript(axe)
    const page = await browser.signedIn(shared.server.url, { username, prepare, colorScheme: 'light', ...layout })
    await makeTable(new Caller(shared.server, await shared.server.logIn(username)), 'pets', content)
    await page.goto(`${shared.server.url}/tables/pets`)
    const rows = page.getByRole('region', { name: 'Rows of pets' })
    const names = () => rows.locator('tbody tr td:first-child').allTextContents()
    const facet = (name: string) => page.getByRole('region', { name: 'Values of the columns' }).getByLabel(name)
    return { page, rows, names, facet }
  }

  it.each(layouts)('are counted, and filter the rows by a click, %s', async (_, layout) => {
    const content = 'name,kind,age\nRex,dog,3\nMia,cat,4\nTom,cat,\nKim,dog,7\nUlf,dog,3\n'
    const { page, rows, names, facet } = await open(content, layout)
    await rows.getByText('Rex').waitFor()
    await page.getByRole('button', { name: 'Values', exact: true }).click()
    await facet('kind').getByText('2 values').waitFor()
    await facet('kind').getByText('cat – dog').waitFor()
    const words = (name: string) => facet(name).getByRole('button').allTextContents()
    expect(await words('kind')).toEqual(['dog3', 'cat2'])
    expect(await words('age')).toEqual(['32', '41', '71', 'missing1'])
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)

    await facet('kind').getByRole('button', { name: /^dog/ }).click()
    await expect.poll(names).toEqual(['Rex', 'Kim', 'Ulf'])
    await expect.poll(() => words('age')).toEqual(['32', '71'])
    await facet('age').getByRole('button', { name: /^3/ }).click()
    await expect.poll(names).toEqual(['Rex', 'Ulf'])
    expect(new URL(page.url()).search).toBe('?where=kind%3Ddog&where=age%3D3&facets=1')
    await page.reload()
    await expect.poll(names).toEqual(['Rex', 'Ulf'])
    const dog = facet('kind').getByRole('button', { name: /^dog/ })
    expect(await dog.getAttribute('aria-pressed')).toBe('true')
    await dog.press('Enter')
    await expect.poll(names).toEqual(['Rex', 'Ulf'])
    await facet('age').getByRole('button', { name: /^3/ }).press('Enter')
    await facet('age')
      .getByRole('button', { name: /^missing/ })
      .click()
    await expect.poll(names).toEqual(['Tom'])
    await page.goBack()
    await expect.poll(names).toEqual(['Rex', 'Mia', 'Tom', 'Kim', 'Ulf'])
  })

  it('are not listed where all are different, and are no buttons where no condition finds them', async () => {
    const lines = Array.from({ length: 12 }, (_, at) => `n${at}," x"\n`)
    const { page, rows, facet } = await open(`name,mark\n${lines.join('')}`, layouts[0][1])
    await rows.getByText('n11').waitFor()
    await page.getByRole('button', { name: 'Values', exact: true }).click()
    await facet('name').getByText('12 values').waitFor()
    expect(await facet('name').getByRole('listitem').count()).toBe(0)
    expect(await facet('mark').getByRole('listitem').allTextContents()).toEqual([' x12'])
    expect(await facet('mark').getByRole('button').count()).toBe(0)
  })

  it('stand beside rows of 36 px', async () => {
    const { rows } = await open('name,kind\nRex,dog\nMia,cat\n', layouts[0][1])
    const row = rows.getByRole('row').filter({ hasText: 'Mia' })
    await expect.poll(async () => Math.round((await row.boundingBox())?.height ?? 0)).toBe(36)
  })
})
