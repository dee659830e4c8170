import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { adminPassword } from '../helpers/serve.js'
import { hasCluster, startCluster } from './helpers/servers.js'

const layouts = [
  ['on a desktop', { width: 1440, height: 900 }],
  ['on a phone', { width: 390, height: 844 }],
] as const

describe.skipIf(!hasCluster || !chromiumPath)('the table of several servers in the dashboard of an admin', () => {
  const browser = shareBrowser()

  it.each(layouts)('names each of them, and forgets one that has died, %s', async (_, viewport) => {
    const { servers } = await startCluster(2)
    const [here, there] = [servers[0]!, servers[1]!]
    const page = await (await browser.newWindow({ viewport, colorScheme: 'light' })).newPage()
    await page.addInitScript(axe)
    await page.goto(`${here.url}/admin/server`)
    await page.getByLabel('Username').fill('admin')
    await page.getByLabel('Password').fill(adminPassword)
    await page.getByRole('button', { name: 'Sign in' }).click()
    const table = page.getByRole('region', { name: 'Servers' }).getByRole('table')
    const rows = table.getByRole('row').filter({ hasText: hostname() })
    await expect.poll(() => rows.count()).toBe(2)
    expect(await rows.getByText('alive', { exact: true }).count()).toBe(2)
    expect(await rows.getByText('this one').count()).toBe(1)
    const isWide = viewport.width > 700
    for (const { url } of [here, there]) expect(await table.getByText(url, { exact: true }).isVisible()).toBe(isWide)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
    expect(await findFaults(page)).toEqual([])
    there.child.kill('SIGKILL')
    await expect.poll(() => rows.count(), { timeout: 60_000 }).toBe(1)
    await rows.getByText('this one').waitFor()
  })
})
