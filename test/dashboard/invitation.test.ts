import { describe, expect, it } from 'vitest'
import { chromiumPath, password, shareBrowser } from '../helpers/browser.js'
import { shareServer } from '../helpers/shared-server.js'

describe.skipIf(!chromiumPath)('the page of an invitation', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  it('sets the password of a new account by keyboard, on a phone too, and leads to the login', async () => {
    const admin = await shared.admin()
    const { json } = await admin.post('/accounts', { username: 'nora', invitation: {} })
    const page = await (await browser.newWindow({ viewport: { width: 320, height: 640 } })).newPage()
    await page.goto(json.invitation.url)
    await page.getByRole('heading', { level: 1, name: 'Choose a password for user:nora' }).waitFor()
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBeLessThanOrEqual(320)
    const { keyboard } = page
    const enter = async (first: string, second: string) => {
      await page.locator('[name=password]:focus').waitFor()
      await keyboard.type(first)
      await keyboard.press('Tab')
      await keyboard.type(second)
      await keyboard.press('Enter')
    }
    await enter(password, 'another horse')
    await page.getByRole('alert').getByText('The two passwords differ.').waitFor()
    await enter(password, password)
    await page.getByRole('link', { name: 'Log in as user:nora' }).click()
    await page.locator('[name=username]:focus').waitFor()
    await keyboard.type('nora')
    await keyboard.press('Tab')
    await keyboard.type(password)
    await keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
    await page.goto(json.invitation.url)
    await page.getByRole('alert').getByText('This invitation does not work').waitFor()
  })
})
