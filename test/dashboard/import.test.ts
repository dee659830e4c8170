import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { holdNextImport } from '../helpers/engines.js'
import { shareServer } from '../helpers/shared-server.js'

const desktop = { viewport: { width: 1280, height: 800 } }
const phone = { viewport: { width: 320, height: 640 }, isMobile: true }
const layouts = [
  ['on a desktop', desktop],
  ['on a phone', phone],
] as const

describe.skipIf(!chromiumPath)('the page that imports a file', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  /** A person who has a file, at the page that imports it. */
  async function open(file: string, content: string, layout: object = desktop) {
    const username = `importer-${++people}`
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    await caller.put(file, content)
    const prepare = (page: Page) => page.addInitScript(axe)
    const page = await browser.signedIn(shared.server.url, { username, prepare, colorScheme: 'light', ...layout })
    await page.getByRole('link', { name: 'Data' }).click()
    await page.getByRole('button', { name: 'Import a file' }).click()
    await page.getByRole('button', { name: `Import ${file}` }).click()
    await page.getByRole('heading', { name: `Import ${file}` }).waitFor()
    return { caller, page }
  }

  /** No fault for axe, and nothing that scrolls sideways. */
  async function check(page: Page): Promise<void> {
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  }

  async function importIt(page: Page, table: string): Promise<void> {
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: table, exact: true }).waitFor()
  }

  it.each(layouts)('imports a CSV whose types and dates must be corrected, %s', async (_, layout) => {
    const text = 'phone;since;until;sum\n4912;03/04/2026;12/11/2026;1,5\n4913;05/06/2026;12/12/2026;2,25\n'
    const { caller, page } = await open('people.csv', text, layout)
    await page.getByText('Every line can be read.').waitFor()
    const preview = page.getByRole('region', { name: 'The first rows' }).last()
    await preview.getByText('03/04/2026').waitFor()
    const typeOf = (column: string) => page.getByLabel(`Type of ${column}`)
    expect(await typeOf('phone').inputValue()).toBe('integer')
    expect(await typeOf('since').inputValue()).toBe('date')
    expect(await typeOf('sum').inputValue()).toBe('text')
    await check(page)
    await typeOf('phone').selectOption('Text')
    const datesOf = (column: string) => page.getByLabel(`Dates of ${column}`)
    expect(await datesOf('since').locator('option:checked').textContent()).toBe('12/31/2026')
    await datesOf('since').selectOption('31/12/2026')
    await page.getByLabel('Decimal mark').selectOption('comma: 1,5')
    await expect.poll(() => typeOf('sum').inputValue()).toBe('double')
    await page.reload()
    await expect.poll(() => typeOf('sum').inputValue()).toBe('double')
    expect(await typeOf('phone').inputValue()).toBe('text')
    expect(await datesOf('since').inputValue()).toBe('day-first')
    expect(await datesOf('until').inputValue()).toBe('month-first')
    expect(await datesOf('sum').count()).toBe(0)
    await check(page)
    await importIt(page, 'people')
    const { json } = await caller.call('/tables/people/rows')
    expect(json.columns.map(({ type }: { type: string }) => type)).toEqual(['text', 'date', 'date', 'double'])
    expect(json.results[0]).toEqual({ phone: '4912', since: '2026-04-03', until: '2026-12-11', sum: 1.5 })
  })

  it.each(layouts)('marks bad lines in place, and leaves them out by one click, %s', async (_, layout) => {
    const { caller, page } = await open('bad.csv', 'a,b\n1,2\n3\n4,5\n', layout)
    const preview = page.getByRole('region', { name: 'The first rows' }).last()
    await preview.getByText('Line 3: 1 field instead of 2').waitFor()
    expect(await page.getByRole('button', { name: 'Import', exact: true }).isDisabled()).toBe(true)
    await check(page)
    await page.getByRole('button', { name: 'Leave out the bad line' }).click()
    await page.getByText('1 bad line will be left out').waitFor()
    await importIt(page, 'bad')
    expect((await caller.call('/tables/bad/rows')).json.results).toEqual([
      { a: 1, b: 2 },
      { a: 4, b: 5 },
    ])
  })

  it('lists the import among the transfers, and not the checks before it', async () => {
    const { page } = await open('sums.csv', 'day,sum\n2026-01-01,1\n')
    await page.getByText('Every line can be read.').waitFor()
    await page.getByLabel('Type of sum').selectOption('Text')
    await expect.poll(() => new URL(page.url()).searchParams.get('options')).toContain('text')
    await page.getByText('1 row, 2 columns').waitFor()
    const rows = page.getByRole('region', { name: 'Jobs', exact: true }).getByRole('article')
    await page.getByRole('link', { name: 'Transfers' }).click()
    await expect.poll(() => rows.count()).toBe(1)
    expect(await rows.first().getAttribute('aria-label')).toBe('Upload sums.csv')
    await page.goBack()
    await page.getByText('Every line can be read.').waitFor()
    await importIt(page, 'sums')
    await page.getByRole('link', { name: 'Transfers' }).click()
    await page.getByRole('article', { name: 'Import sums.csv' }).waitFor()
    expect(await rows.count()).toBe(2)
  })

  it('offers the option that would read a file as a button', async () => {
    const { page } = await open('account.csv', 'Account\nOwner\n\nday;sum\n1;2\n3;4\n')
    await page.getByRole('button', { name: 'Leave out the first 2 lines' }).click()
    await page.getByText('Every line can be read.').waitFor()
    expect(await page.getByLabel('Lines above the names').inputValue()).toBe('2')
    const delimiter = page.getByLabel('Between values').locator('option:checked')
    await expect.poll(() => delimiter.textContent()).toBe('detected: semicolon')
    await importIt(page, 'account')
  })

  it.each(layouts)('does what its notes propose by one click each, %s', async (_, layout) => {
    const text = 'code;since;sum;paid\n007;13/04/2026;1,5;yes\n012;14/06/2026;2,25;no\n'
    const { caller, page } = await open('notes.csv', text, layout)
    const mend = async (name: string) => {
      const button = page.getByRole('button', { name, exact: true })
      await button.click()
      await button.waitFor({ state: 'detached' })
    }
    await mend('Read dates of since like 31/12/2026')
    await expect.poll(() => page.getByLabel('Type of since').inputValue()).toBe('date')
    await check(page)
    await mend('Read decimal commas')
    await expect.poll(() => page.getByLabel('Type of sum').inputValue()).toBe('double')
    await mend('Read yes/no as true and false')
    await expect.poll(() => page.getByLabel('Type of paid').inputValue()).toBe('boolean')
    expect(await page.getByLabel('Words for true and false').inputValue()).toBe('yes/no')
    await mend('Read code as “Whole number”')
    await expect.poll(() => page.getByLabel('Type of code').inputValue()).toBe('integer')
    await importIt(page, 'notes')
    expect((await caller.call('/tables/notes/rows')).json.results).toEqual([
      { code: 7, since: '2026-04-13', sum: 1.5, paid: true },
      { code: 12, since: '2026-06-14', sum: 2.25, paid: false },
    ])
  })

  it('returns to the line when an import fails, where one click mends it', async () => {
    const { caller, page } = await open('sums.csv', 'day,sum\n2026-01-01,1\n2026-01-02,2\n')
    await page.getByText('Every line can be read.').waitFor()
    await page.getByLabel('Type of sum').selectOption('Whole number')
    await expect.poll(() => new URL(page.url()).searchParams.get('options')).toContain('integer')
    await page.getByText('2 rows, 2 columns').waitFor()
    await caller.put('sums.csv', 'day,sum\n2026-01-01,1\n2026-01-02,many\n')
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    await page.getByRole('alert').getByText('Not imported: Line 3, column "sum"').waitFor()
    const preview = page.getByRole('region', { name: 'The first rows' }).last()
    await preview.getByText('Line 3, sum: "many" is not an integer').waitFor()
    await check(page)
    await page.getByRole('button', { name: 'Read sum as text' }).click()
    await page.getByText('Every line can be read.').waitFor()
    await importIt(page, 'sums')
    expect((await caller.call('/tables/sums/rows')).json.results[1]).toEqual({ day: '2026-01-02', sum: 'many' })
  })

  it('leads back from another view when an import fails', async () => {
    const { caller, page } = await open('sums.csv', 'day,sum\n2026-01-01,1\n')
    await page.getByText('Every line can be read.').waitFor()
    await caller.put('sums.csv', 'day,sum\n2026-01-01\n')
    const held = holdNextImport()
    await page.getByRole('button', { name: 'Import', exact: true }).click()
    const engine = await held
    await page.getByRole('link', { name: 'Shared' }).click()
    engine.goOn()
    await page.getByRole('region', { name: 'Messages' }).getByText('Line 2').waitFor()
    await page.getByRole('button', { name: 'Mend it' }).click()
    await page.getByRole('heading', { name: 'Import sums.csv' }).waitFor()
    await page
      .getByRole('region', { name: 'The first rows' })
      .last()
      .getByText(/^Line 2: 1 field/)
      .waitFor()
  })
})
