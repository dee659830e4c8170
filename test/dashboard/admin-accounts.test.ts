import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, password, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const layouts = [
  ['desktop', { width: 1440, height: 900 }],
  ['phone', { width: 390, height: 844 }],
] as const

describe.skipIf(!chromiumPath)('the accounts in the dashboard of an admin', () => {
  const shared = shareServer({ quota: 10_000_000 })
  const browser = shareBrowser()

  async function open(viewport: { width: number; height: number }, prepare?: (page: Page) => Promise<unknown>) {
    const options = { username: 'admin', role: 'admin', path: '/admin/accounts', viewport }
    const page = await browser.signedIn(shared.server.url, { ...options, ...(prepare && { prepare }) })
    await page.getByRole('heading', { level: 1, name: 'Accounts' }).waitFor()
    return page
  }
  const rowOf = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(`^${name}\\b`) })
  async function choose(page: Page, account: string, action: string) {
    await page.getByRole('button', { name: `Actions for ${account}` }).click()
    await page.getByRole('button', { name: action, exact: true }).click()
  }

  it.each(layouts)(
    'give a colleague an account with 5 GB, by a link that is used once (%s)',
    async (layout, viewport) => {
      const page = await open(viewport)
      const name = `colleague-${layout}`
      await page.getByRole('button', { name: 'New account' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Username').fill(name)
      await dialog.getByLabel('Name (optional)').fill('Carla Colleague')
      await dialog.getByLabel('Quota').fill('5 GB')
      await page.keyboard.press('Enter')
      await dialog.getByRole('heading', { name: 'The account is ready' }).waitFor()
      const link = await dialog.getByLabel('The link').inputValue()
      await dialog.getByRole('button', { name: 'Done' }).click()
      await rowOf(page, name).getByText('of 5.0 GiB').waitFor()
      await rowOf(page, name).getByText('link open for 7 days').waitFor()
      const other = await (await browser.newWindow({ viewport })).newPage()
      await other.goto(link)
      await other.locator('[name=password]').fill(password)
      await other.locator('[name=again]').fill(password)
      await other.keyboard.press('Enter')
      await other.getByText(`user:${name}`).waitFor()
      expect((await fetch(link)).status).toBe(404)
      const { json } = await new Caller(shared.server, await shared.server.logIn(name)).call('/auth/me')
      expect(json).toMatchObject({ name: 'Carla Colleague', quota: 5 * 1024 ** 3 })
    },
  )

  it.each(layouts)(
    'change a quota in the form that is shown, and explain what cannot be read (%s)',
    async (layout, viewport) => {
      const caller = new Caller(shared.server, await shared.server.logIn(`full-${layout}`))
      await caller.put('half.bin', Buffer.alloc(1024 ** 2))
      const page = await open(viewport)
      const row = rowOf(page, `full-${layout}`)
      await row.getByText('1.0 MiB of 9.5 MiB').waitFor()
      await choose(page, `user:full-${layout}`, 'Change the quota')
      const field = page.getByRole('dialog').getByLabel('Quota')
      await field.fill('a lot')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').getByRole('alert').getByText('The quota must be a size').waitFor()
      await field.fill('2 MiB')
      await page.keyboard.press('Enter')
      await row.getByText('1.0 MiB of 2.0 MiB').waitFor()
      expect(await row.getByRole('meter').getAttribute('aria-valuenow')).toBe('50')
      await choose(page, `user:full-${layout}`, 'Change the quota')
      expect(await field.inputValue()).toBe('2.0 MiB')
      await field.fill('none')
      await page.keyboard.press('Enter')
      await row.getByRole('meter').waitFor({ state: 'detached' })
      expect((await caller.call('/auth/me')).json.quota).toBe('none')
    },
  )

  it.each(layouts)('disable an account, which ends what it does, and enable it (%s)', async (layout, viewport) => {
    const caller = new Caller(shared.server, await shared.server.logIn(`busy-${layout}`))
    const held = await holdUpload(caller, 'held.bin')
    const page = await open(viewport)
    const account = `user:busy-${layout}`
    await choose(page, account, 'Disable')
    await page.getByRole('dialog').getByText('Its 1 running job will be stopped.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable', exact: true }).click()
    await rowOf(page, `busy-${layout}`).getByText('disabled', { exact: true }).waitFor()
    expect((await held.answer).json).toMatchObject({ code: 'job-stopped', stoppedBy: 'admin:admin' })
    expect((await caller.call('/auth/me')).status).toBe(401)
    await choose(page, account, 'Enable')
    await page.getByRole('dialog').getByRole('button', { name: 'Enable', exact: true }).click()
    await rowOf(page, `busy-${layout}`).getByText('disabled', { exact: true }).waitFor({ state: 'detached' })
    await shared.server.logIn(`busy-${layout}`)
  })

  it('make a link that resets a password; the old one is valid until then', async () => {
    const token = await shared.server.logIn('forgetful')
    const page = await open(layouts[0][1])
    await choose(page, 'user:forgetful', 'Reset the password')
    await page.getByRole('dialog').getByLabel('Works for').selectOption('1 day')
    await page.getByRole('dialog').getByRole('button', { name: 'Make a link' }).click()
    const link = await page.getByRole('dialog').getByLabel('The link').inputValue()
    const caller = new Caller(shared.server, token)
    expect((await caller.call('/auth/me')).status).toBe(200)
    expect((await caller.post(new URL(link).pathname, { password: 'a newer horse' })).status).toBe(200)
    expect((await caller.call('/auth/me')).status).toBe(401)
  })

  it.each(layouts)(
    'delete an account only once its name was typed, and say what goes with it (%s)',
    async (layout, viewport) => {
      const caller = new Caller(shared.server, await shared.server.logIn(`leaving-${layout}`))
      await caller.put('a.bin', Buffer.alloc(2048))
      const page = await open(viewport)
      const account = `user:leaving-${layout}`
      await choose(page, account, 'Delete')
      const dialog = page.getByRole('dialog')
      await dialog.getByText('All its files and tables are removed: 2.0 KiB.').waitFor()
      await dialog.getByRole('button', { name: 'Delete for good' }).click()
      await dialog.getByRole('alert').getByText(`Type ${account} to delete it.`).waitFor()
      await dialog.getByLabel(`Type ${account} to confirm`).fill(account)
      await page.keyboard.press('Enter')
      await rowOf(page, `leaving-${layout}`).waitFor({ state: 'detached' })
      expect((await caller.call('/auth/me')).status).toBe(401)
    },
  )

  it('are searched, and an admin can neither disable nor delete the account that is signed in', async () => {
    await shared.server.logIn('findable')
    const page = await open(layouts[0][1])
    await rowOf(page, 'findable').waitFor()
    await page.getByLabel('Search accounts').fill('admin')
    await rowOf(page, 'findable').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Actions for admin:admin' }).click()
    await page.getByRole('button', { name: 'Change the quota' }).waitFor()
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Change the quota' }).waitFor({ state: 'hidden' })
    await page.getByLabel('Search accounts').fill('nobody')
    await page.getByText('No account fits “nobody”.').waitFor()
  })

  it('are offered to admins only', async () => {
    const page = await browser.signedIn(shared.server.url, { path: '/admin/accounts' })
    expect(await page.getByRole('link', { name: /Accounts|Admin|Server/ }).count()).toBe(0)
    expect(await page.getByRole('heading', { level: 1, name: 'Accounts' }).count()).toBe(0)
  })

  it.each(layouts)(
    'have no serious axe-core violations, in light and in dark colors (%s)',
    async (layout, viewport) => {
      await shared.server.logIn(`${'long-name-'.repeat(5)}${layout}`)
      const disabled = `off-${layout}`
      await shared.server.logIn(disabled)
      const admin = await shared.admin()
      await admin.call(`/accounts/user:${disabled}`, { method: 'PATCH', body: { disabled: true, quota: 1000 } })
      const page = await open(viewport, (each) => each.addInitScript(axe))
      const faults: Record<string, string[]> = { table: await findFaults(page) }
      await page.getByRole('button', { name: 'New account' }).click()
      await page.getByRole('dialog').waitFor()
      faults.create = await findFaults(page)
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: `Actions for user:${disabled}` }).click()
      faults.menu = await findFaults(page)
      await page.keyboard.press('Escape')
      for (const action of ['Change the quota', 'Reset the password', 'Enable', 'Delete']) {
        await choose(page, `user:${disabled}`, action)
        await page.getByRole('dialog').waitFor()
        faults[action] = await findFaults(page)
        await page.keyboard.press('Escape')
        await page.getByRole('dialog').waitFor({ state: 'detached' })
      }
      expect(Object.fromEntries(Object.entries(faults).filter(([, found]) => found.length > 0))).toEqual({})
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
    },
  )
})
