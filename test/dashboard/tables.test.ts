import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { choose, chromiumPath, contentOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { holdNextImport } from '../helpers/engines.js'
import { salesCsv } from '../helpers/sales.js'
import { shareServer } from '../helpers/shared-server.js'
import { sqlField, sqlIn } from '../helpers/sql-editor.js'
import { makeTable } from '../helpers/tables.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1280, height: 800 } }],
  ['on a phone', { viewport: { width: 320, height: 640 }, isMobile: true }],
] as const

describe.skipIf(!chromiumPath)('the tables page of the dashboard', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open(layout: object = {}) {
    const username = `analyst-${++people}`
    const prepare = (page: Page) => page.addInitScript(axe)
    const page = await browser.signedIn(shared.server.url, { username, prepare, colorScheme: 'light', ...layout })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    return { page, caller }
  }

  it('imports a CSV, and shows its columns, its rows between two dates, its summary and query results', async () => {
    const { page, caller } = await open()
    await caller.put('sales.csv', salesCsv(120))
    await choose(page, 'sales.csv', 'Import as a table …')
    await page.getByText('Every line can be read.').waitFor()
    await page.getByLabel('Date column').selectOption('Order Date')
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByText('Imported', { exact: false }).waitFor()
    await page.getByRole('heading', { name: 'sales', exact: true }).waitFor()
    await page.getByRole('link', { name: /Tables$/ }).click()
    await page.getByRole('link', { name: /sales 120 rows · 14 columns · 1 import/ }).click()

    const rows = page.getByRole('region', { name: 'Rows of sales' })
    await rows.getByRole('columnheader', { name: 'Order ID' }).waitFor()
    await expect.poll(() => rows.locator('tbody tr').count()).toBe(100)
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('Page 2').waitFor()
    await page.getByLabel('From').fill('2015-07-11')
    await page.getByLabel('To, without').fill('2015-07-14')
    await page.getByText('3 rows', { exact: true }).waitFor()
    await rows.getByText('2015-07-13').waitFor()
    await expect.poll(() => rows.getByText('2015-07-14').count()).toBe(0)

    await page.getByText('Summary', { exact: true }).click()
    await page.getByRole('rowheader', { name: 'Units Sold' }).waitFor()
    await page.getByRole('img', { name: /^Rows by \w+ of Order Date/ }).waitFor()
    await page.getByText('Imports', { exact: true }).click()
    await page.getByRole('region', { name: 'Imports' }).getByText('sales.csv').waitFor()

    await page.getByRole('link', { name: 'Data' }).click()
    await sqlField(page).fill('select Country, count(*) as n from sales group by Country order by n')
    await sqlField(page).press('Control+Enter')
    const answer = page.getByRole('region', { name: 'Answer' })
    await answer.getByRole('columnheader', { name: 'n', exact: true }).waitFor()
    await answer.getByText('Bonaire, Saba').waitFor()
    await sqlField(page).fill('drop table sales')
    await page.getByRole('button', { name: 'Run' }).click()
    await page
      .getByRole('alert')
      .getByText(/only|SELECT/i)
      .waitFor()
  })

  it('shows the rows added by another client’s import, and no result for a failed query', async () => {
    const { page, caller } = await open()
    await makeTable(caller, 'pets', 'name,age\nRex,3\nMia,4\n')
    await page.goto(`${shared.server.url}/tables/pets`)
    await page.getByText('2 rows · 2 columns').waitFor()
    await makeTable(caller, 'pets', 'name,age\nTom,5\n')
    await page.getByText('3 rows · 2 columns').waitFor()
    await page.getByRole('region', { name: 'Rows of pets' }).getByText('Tom').waitFor()

    await page.getByRole('link', { name: /Tables$/ }).click()
    await sqlField(page).fill('select name from pets')
    await page.getByRole('button', { name: 'Run' }).click()
    const answer = page.getByRole('region', { name: 'Answer' })
    await answer.getByText('Rex').waitFor()
    await sqlField(page).fill('select nothing from pets')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').waitFor()
    expect(await answer.count()).toBe(0)
    expect((await caller.call('/tables/pets', { method: 'DELETE' })).status).toBe(204)
    await page.getByText('No tables yet').waitFor()
  })

  it('shows a running import, and stops it', async () => {
    const { page, caller } = await open()
    await caller.put('teams.csv', 'team_name,manager_name\nSossetceh,Martin Mason\n')
    await choose(page, 'teams.csv', 'Import as a table …')
    await page.getByText('Every line can be read.').waitFor()
    const held = holdNextImport()
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    // Its process is suspended, so that it does not end before the click.
    await held
    const { id } = await caller.findJob('kind=import&state=running')
    const running = page.getByRole('article', { name: 'Import teams.csv' })
    await running.getByRole('progressbar').waitFor()
    await running.getByRole('button', { name: 'teams.csv', exact: true }).click()
    await page.getByRole('dialog').getByText(id).waitFor()
    await page.keyboard.press('Escape')
    await running.getByRole('button', { name: 'Stop teams.csv' }).click()
    await page.getByTestId('receipt').getByText('yes, nothing is left').waitFor()
    await page.getByRole('link', { name: 'Data', exact: true }).first().click()
    await page.getByText('No tables yet').waitFor()
    expect((await caller.call('/tables')).json.tables).toEqual([])
  })

  it.each(layouts)('filters, sorts and chooses columns, all of it in the address, %s', async (_, layout) => {
    const { page, caller } = await open(layout)
    await makeTable(caller, 'pets', 'name,kind,age\nRex,dog,3\nMia,cat,4\nTom,cat,\nKim,dog,7\n')
    await page.goto(`${shared.server.url}/tables/pets`)
    const rows = page.getByRole('region', { name: 'Rows of pets' })
    const cells = (at: number) => rows.locator(`tbody tr td:nth-child(${at})`).allTextContents()
    await page.getByLabel('Column', { exact: true }).selectOption('kind')
    await page.getByLabel('Comparison').selectOption('is')
    await page.getByLabel('Value').fill('dog')
    await page.getByRole('button', { name: 'Filter' }).click()
    await expect.poll(() => cells(1)).toEqual(['Rex', 'Kim'])
    await rows.getByRole('button', { name: 'age' }).click()
    await rows.getByRole('button', { name: 'age' }).click()
    await expect.poll(() => cells(1)).toEqual(['Kim', 'Rex'])
    expect(await rows.getByRole('columnheader', { name: 'age' }).getAttribute('aria-sort')).toBe('descending')
    await page.getByText('3 of 3 columns').click()
    await page.getByLabel('kind', { exact: true }).uncheck()
    await expect.poll(() => cells(2)).toEqual(['7', '3'])
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    const { search } = new URL(page.url())
    expect(search).toBe('?sort=-age&columns=name%2Cage&where=kind%3Ddog')
    await page.reload()
    await expect.poll(() => cells(1)).toEqual(['Kim', 'Rex'])
    await page.getByText('Export', { exact: true }).click()
    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'As CSV' }).click()
    expect(String(await contentOf(await downloading))).toBe('name,age\nKim,7\nRex,3\n')
    await page.getByRole('link', { name: 'Open as SQL' }).click()
    await expect
      .poll(() => sqlIn(page))
      .toBe('select "name", "age"\nfrom "pets"\nwhere "kind" = \'dog\'\norder by "age" desc\nlimit 100')
    await page.getByRole('button', { name: 'Run' }).click()
    const answer = page.getByRole('region', { name: 'Answer' })
    await expect.poll(() => answer.locator('tbody tr td:first-child').allTextContents()).toEqual(['Kim', 'Rex'])
    await page.goBack()
    await page.getByRole('button', { name: 'Remove the condition kind is dog' }).click()
    await expect.poll(() => cells(1)).toEqual(['Kim', 'Mia', 'Rex', 'Tom'])
  })

  it('opens a table as SQL that runs, also if its columns have names of keywords', async () => {
    const { page, caller } = await open()
    await makeTable(caller, 'parts', 'order,group,the "size"\n2,b,9\n1,a,8\n')
    await page.goto(`${shared.server.url}/tables/parts?sort=order&where=${encodeURIComponent('group=a')}`)
    await page.getByRole('link', { name: 'Open as SQL' }).click()
    await page.getByRole('button', { name: 'Run' }).click()
    const answer = page.getByRole('region', { name: 'Answer' })
    await expect.poll(() => answer.locator('tbody tr td').allTextContents()).toEqual(['1', 'a', '8'])
  })

  it('shows the error of a query at its place, and keeps queries that ran and that were saved', async () => {
    const { page, caller } = await open()
    await makeTable(caller, 'pets', 'name,age\nRex,3\n')
    await page.goto(`${shared.server.url}/tables`)
    await sqlField(page).fill('select name\nfrom pets\nwhere nothing = 1')
    await page.getByRole('button', { name: 'Run' }).click()
    const alert = page.getByRole('alert')
    await alert.getByText('Line 3:').waitFor()
    expect(await alert.locator('pre').textContent()).toBe('Line 3:\nwhere nothing = 1\n      ^')
    expect(await findFaults(page)).toEqual([])
    await page.keyboard.type('age -- ')
    expect(await sqlIn(page)).toBe('select name\nfrom pets\nwhere age -- nothing = 1')
    await sqlField(page).fill('select age from pets')
    // The list of names is above the button.
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByLabel('Name').fill('ages')
    expect(await findFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Save query' }).click()
    await page.reload()
    await page.getByRole('button', { name: 'Earlier queries' }).click()
    expect(await findFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'select name' }).click()
    await expect.poll(() => sqlIn(page)).toContain('nothing')
    await page.getByRole('button', { name: 'Earlier queries' }).click()
    await page.getByRole('button', { name: 'ages', exact: true }).click()
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('region', { name: 'Answer' }).getByText('3', { exact: true }).waitFor()
    const downloading = page.waitForEvent('download')
    await page.getByRole('button', { name: 'As CSV' }).click()
    expect(String(await contentOf(await downloading))).toBe('age\n3\n')
    await page.getByRole('button', { name: 'Earlier queries' }).click()
    await page.getByRole('button', { name: 'Remove the saved query ages' }).click()
    await page.getByText('No query is saved in this browser.').waitFor()
  })

  it('is loaded when it is opened, and takes the focus then', async () => {
    const { page } = await open()
    const scripts = () =>
      page.evaluate(
        () => performance.getEntriesByType('resource').filter(({ name }) => /\/data-.*\.js$/.test(name)).length,
      )
    expect(await scripts()).toBe(0)
    await page.getByRole('link', { name: 'Data' }).click()
    await page.getByText('No tables yet').waitFor()
    expect(await scripts()).toBe(1)
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Data')
  })

  it('asks before it deletes a table or the rows of an import', async () => {
    const { page, caller } = await open()
    await makeTable(caller, 'pets', 'name,age\nRex,3\n')
    await makeTable(caller, 'pets', 'name,age\nMia,4\n')
    await page.goto(`${shared.server.url}/tables/pets?part=imports`)
    await page
      .getByRole('button', { name: /^Remove the import/ })
      .first()
      .click()
    await page.getByRole('dialog').getByText('1 row of').waitFor()
    expect(await findFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByText('1 row · 2 columns').waitFor()
    await page.getByRole('button', { name: 'Delete table' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect((await caller.call('/tables/pets')).status).toBe(200)
    await page.getByRole('button', { name: 'Delete table' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete table' }).click()
    await page.getByText('No tables yet').waitFor()
  })
})
