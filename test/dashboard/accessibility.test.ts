import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { choose, chromiumPath, openAccountMenu, rowOf, shareBrowser, signOut } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { salesCsv } from '../helpers/sales.js'
import { shareServer } from '../helpers/shared-server.js'

describe.skipIf(!chromiumPath)('every page of the dashboard', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()
  // Evaluated by the debugger, so that the page's own policy stays as strict as it is.
  const prepare = (page: Page) => page.addInitScript(axe)

  it('has no serious axe-core violations, in light and in dark colors', async () => {
    const username = 'viewer'
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    await caller.put('docs/sales.csv', salesCsv(60))
    await caller.put('going.txt', 'x')
    await caller.post('/import', { filename: 'docs/sales.csv' })
    await caller.post('/shares', { filename: 'docs/sales.csv', expiresIn: 600 })
    await caller.findJob('kind=import&state=done')
    const held = await holdUpload(caller, 'running.bin')
    const page = await browser.signedIn(shared.server.url, { username, prepare, colorScheme: 'light' })
    const faults: Record<string, string[]> = {}
    const look = async (name: string) => {
      faults[name] = await findFaults(page)
    }
    const go = async (path: string, shown: string) => {
      await page.goto(`${shared.server.url}/${path}`)
      await page.getByText(shown, { exact: true }).first().waitFor()
    }

    await rowOf(page, 'docs/').waitFor()
    const file = { name: 'docs/sales.csv', mimeType: 'text/csv', buffer: Buffer.from('x') }
    await page.getByLabel('Upload files').setInputFiles({ ...file, name: 'waiting.bin' })
    await page.getByText('Uploading 1 file').waitFor()
    await look('files')
    await page.getByRole('button', { name: 'Uploads and downloads' }).click()
    await page.getByRole('region', { name: 'Running' }).waitFor()
    await look('tray')
    await page.getByRole('button', { name: 'Uploads and downloads' }).click()
    await page.getByRole('button', { name: 'New folder' }).click()
    await page.getByRole('dialog').waitFor()
    await look('dialog New folder')
    await page.keyboard.press('Escape')
    await choose(page, 'going.txt', 'Delete')
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    await look('message')
    await page.getByLabel('Search files').fill('nothing')
    await page.getByText('No file fits').waitFor()
    await look('no files')
    await go('jobs', 'Running')
    await page.getByRole('button', { name: 'Pause running.bin' }).click()
    const running = page.getByRole('article', { name: 'Upload running.bin' })
    await running.getByText('paused', { exact: true }).waitFor()
    await page.getByRole('article', { name: 'Import docs/sales.csv' }).first().waitFor()
    await look('jobs')
    await page.getByRole('button', { name: 'running.bin', exact: true }).click()
    await page.getByRole('dialog').getByText(held.id).waitFor()
    await look('job')
    await page.keyboard.press('Escape')
    await go('tables?import=docs/sales.csv', 'Every line can be read.')
    await look('import')
    await go('tables', 'Query')
    await look('tables')
    await go('tables/sales', '60 rows')
    await look('table')
    await page.getByText('Summary', { exact: true }).click()
    await page.getByRole('rowheader').first().waitFor()
    await look('summary')
    await go('shared', 'docs/sales.csv')
    await look('shared')
    await go('account', 'this one')
    await look('account')
    await openAccountMenu(page)
    await look('account menu')
    await page.keyboard.press('Escape')
    await caller.post(`/jobs/${held.id}/stop`)
    await signOut(page)
    await page.getByLabel('Username').waitFor()
    await look('sign in')
    await page.goto(`${shared.server.url}/docs`)
    await look('docs')
    expect(Object.keys(faults)).toHaveLength(16)
    expect(Object.fromEntries(Object.entries(faults).filter(([, found]) => found.length > 0))).toEqual({})
  })

  it('of files has no serious axe-core violations, in light and in dark colors', async () => {
    const caller = new Caller(shared.server, await shared.server.logIn('keeper'))
    await caller.put('docs/sales.csv', salesCsv(60))
    const page = await browser.signedIn(shared.server.url, { username: 'keeper', prepare, colorScheme: 'light' })
    const faults: Record<string, string[]> = {}
    const look = async (name: string) => {
      faults[name] = await findFaults(page)
    }
    const go = async (path: string, shown: string) => {
      await page.goto(`${shared.server.url}/${path}`)
      await page.getByText(shown, { exact: true }).first().waitFor()
    }

    await go('files/docs/?sort=size', 'sales.csv')
    await page.getByRole('button', { name: 'Actions for docs/sales.csv' }).click()
    await look('folder with a menu')
    await page.keyboard.press('Escape')
    await page.getByLabel('Select docs/sales.csv').click()
    await look('selection')
    await page.getByRole('button', { name: 'Move to …' }).click()
    await page.getByRole('dialog').getByText('No folders in it').waitFor()
    await look('dialog Move to …')
    await page.keyboard.press('Escape')
    for (const action of ['Rename …', 'Share …']) {
      await choose(page, 'docs/sales.csv', action)
      await page.getByRole('dialog').waitFor()
      await look(`dialog ${action}`)
      await page.keyboard.press('Escape')
    }
    await go('files/docs/?open=sales.csv', 'SHA-256')
    await page.getByRole('columnheader', { name: 'Order ID' }).waitFor()
    await look('preview')
    await go('files/none/', 'Nothing is in this folder')
    await look('empty folder')
    expect(Object.keys(faults)).toHaveLength(7)
    expect(Object.fromEntries(Object.entries(faults).filter(([, found]) => found.length > 0))).toEqual({})
  })

  it('of a client has no serious axe-core violations, in light and in dark colors, on a phone', async () => {
    const ops = 'depot'
    const publisher = new Caller(shared.server, await shared.server.logIn(ops, 'ops'))
    await publisher.put(`folder/${'a-very-long-name-'.repeat(8)}.csv`, salesCsv(60))
    await shared.server.logIn(`${ops}.empty`, 'ops')
    const viewport = { width: 360, height: 740 }
    const options = { role: 'client', prepare, colorScheme: 'light' as const, viewport, isMobile: true }
    const page = await browser.signedIn(shared.server.url, options)
    const faults: string[] = []
    for (const [wanted, shown] of [
      ['', 'Who publishes'],
      [ops, 'folder'],
      [`${ops}.empty`, 'Nothing is published'],
      ['nobody'.repeat(10), 'No such ops account'],
    ]) {
      await page.goto(`${shared.server.url}/published/${wanted}`)
      await page.getByText(shown!, { exact: true }).waitFor()
      faults.push(...(await findFaults(page)))
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    }
    await page.getByLabel('Ops account').fill('no name')
    await page.keyboard.press('Enter')
    await page.getByText('cannot be the name of an account').waitFor()
    faults.push(...(await findFaults(page)))
    expect(faults).toEqual([])
  })

  it('fits the width of a phone without horizontal scrolling', async () => {
    const caller = new Caller(shared.server, await shared.server.logIn('walker'))
    await caller.put(`folder/${'a-very-long-name-'.repeat(8)}.csv`, salesCsv(60))
    const held = await holdUpload(caller, `${'long'.repeat(30)}.bin`)
    const viewport = { width: 360, height: 740 }
    const page = await browser.signedIn(shared.server.url, { username: 'walker', viewport, isMobile: true })
    for (const view of ['Files', 'Transfers', 'Data', 'Shared', 'Account']) {
      if (view === 'Account') await openAccountMenu(page)
      await page.getByRole('link', { name: new RegExp(`^${view}`) }).click()
      await page.getByRole('heading', { level: 1, name: view }).waitFor()
      await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count()).toBe(0)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    }
    held.finish()
  })
})
