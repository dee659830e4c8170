import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { holdNextImport } from '../helpers/engines.js'
import { salesCsv } from '../helpers/sales.js'
import { shareServer } from '../helpers/shared-server.js'
import { makeTable } from '../helpers/tables.js'

describe.skipIf(!chromiumPath)('the tables page of the dashboard', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open() {
    const username = `analyst-${++people}`
    const page = await browser.signedIn(shared.server.url, { username })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    return { page, caller }
  }

  it('imports a CSV, and shows its columns, its rows between two dates, its summary and query results', async () => {
    const { page, caller } = await open()
    await caller.put('sales.csv', salesCsv(120))
    await page.getByRole('button', { name: 'Import sales.csv as a table' }).click()
    await page.getByLabel('Date column').fill('Order Date')
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByText('Imported', { exact: false }).waitFor()
    await page.getByRole('link', { name: /sales 120 rows · 14 columns · 1 import/ }).click()

    const rows = page.getByRole('region', { name: 'Rows of sales' })
    await rows.getByRole('columnheader', { name: 'Order ID' }).waitFor()
    await expect.poll(() => rows.locator('tbody tr').count()).toBe(50)
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
    await page.getByLabel('SQL').fill('select Country, count(*) as n from sales group by Country order by n')
    await page.getByLabel('SQL').press('Control+Enter')
    const answer = page.getByRole('region', { name: 'Answer' })
    await answer.getByRole('columnheader', { name: 'n', exact: true }).waitFor()
    await answer.getByText('Bonaire, Saba').waitFor()
    await page.getByLabel('SQL').fill('drop table sales')
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
    await page.getByLabel('SQL').fill('select name from pets')
    await page.getByRole('button', { name: 'Run' }).click()
    const answer = page.getByRole('region', { name: 'Answer' })
    await answer.getByText('Rex').waitFor()
    await page.getByLabel('SQL').fill('select nothing from pets')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').waitFor()
    expect(await answer.count()).toBe(0)
    expect((await caller.call('/tables/pets', { method: 'DELETE' })).status).toBe(204)
    await page.getByText('No tables yet').waitFor()
  })

  it('shows a running import, and stops it', async () => {
    const { page, caller } = await open()
    await caller.put('teams.csv', 'team_name,manager_name\nSossetceh,Martin Mason\n')
    const held = holdNextImport()
    await page.getByRole('button', { name: 'Import teams.csv as a table' }).click()
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    // Its process is suspended, so that it does not end before the click.
    await held
    const { id } = await caller.findJob('kind=import')
    const running = page.getByRole('article', { name: 'Import teams.csv' })
    await running.getByRole('progressbar').waitFor()
    await running.getByRole('button', { name: 'teams.csv', exact: true }).click()
    await page.getByRole('dialog').getByText(id).waitFor()
    await page.keyboard.press('Escape')
    await running.getByRole('button', { name: 'Stop teams.csv' }).click()
    await page.getByTestId('receipt').getByText('yes, nothing is left').waitFor()
    await page.getByText('No tables yet').waitFor()
    expect((await caller.call('/tables')).json.tables).toEqual([])
  })

  it('shows where a CSV is invalid', async () => {
    const { page, caller } = await open()
    await caller.put('bad.csv', 'a,b\n1,2\n3\n')
    await page.getByRole('button', { name: 'Import bad.csv as a table' }).click()
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page
      .getByRole('region', { name: 'Messages' })
      .getByText(/line 3/i)
      .waitFor()
  })
})
