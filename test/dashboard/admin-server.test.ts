import { rm, symlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { isCluster } from '../run/is-cluster.js'

const layouts = [
  ['desktop', { width: 1440, height: 900 }],
  ['phone', { width: 390, height: 844 }],
] as const

describe.skipIf(!chromiumPath)('the server in the dashboard of an admin', () => {
  const shared = shareServer({ quota: 5 * 1024 ** 3 })
  const browser = shareBrowser()
  const open = async (viewport: { width: number; height: number }) => {
    const options = { username: 'admin', role: 'admin', path: '/admin/server', viewport }
    return browser.signedIn(shared.server.url, { ...options, prepare: (page) => page.addInitScript(axe) })
  }

  it.each(layouts)('shows what runs, the disk and the limits (%s)', async (_layout, viewport) => {
    const page = await open(viewport)
    const facts = page.getByRole('region', { name: 'What runs' })
    await facts.getByText('takes new work').waitFor()
    await facts.getByText(process.version, { exact: true }).waitFor()
    await facts.getByText(hostname(), { exact: true }).waitFor()
    await facts.getByText(/^DuckDB \d/).waitFor()
    await facts.getByRole('meter', { name: 'Used part of the disk' }).waitFor()
    const limits = page.getByRole('region', { name: 'Limits in force' })
    const limit = (option: string) =>
      limits.getByText(option, { exact: true }).locator('xpath=following-sibling::dd').textContent()
    expect(await limit('--quota')).toBe('5.0 GiB')
    expect(await limit('--max-file-size')).toBe('none')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
    expect(await findFaults(page)).toEqual([])
  })

  it.each(layouts)('runs a check, and shows what it found (%s)', async (layout, viewport) => {
    const page = await open(viewport)
    const check = page.getByRole('region', { name: 'Check of what is stored' })
    await check.getByRole('button', { name: 'Run' }).click()
    await check.getByText('all in order').waitFor()
    if (isCluster) return
    const caller = new Caller(shared.server, await shared.server.logIn(`odd-${layout}`))
    await caller.put('a.txt', 'x')
    const path = join(shared.server.dataFolder, 'uploads', 'user', `odd-${layout}`, 'link')
    await symlink('a.txt', path)
    onTestFinished(() => rm(path))
    await check.getByRole('button', { name: 'Run' }).click()
    await check.getByText('it is a symbolic link').waitFor()
    await check.getByText('1 note', { exact: true }).waitFor()
    expect(await findFaults(page)).toEqual([])
  })

  it.each(layouts)('shows the log live, paused, and without requests (%s)', async (layout, viewport) => {
    const page = await open(viewport)
    const log = page.getByRole('region', { name: 'Log', exact: true })
    await log.getByText('live', { exact: true }).waitFor()
    const stranger = new Caller(shared.server, '')
    await stranger.call('/s/seen-live')
    await log.getByText('GET /s/… 404').first().waitFor()
    await log.getByRole('button', { name: 'Pause' }).click()
    await stranger.call(`/held-${layout}`)
    await log.getByText(/^paused, [1-9]/).waitFor()
    expect(await log.getByText(`GET /held-${layout}`).count()).toBe(0)
    await log.getByRole('button', { name: 'Resume' }).click()
    await log.getByText(`GET /held-${layout} 404`).waitFor()
    const ann = await shared.newCaller()
    await ann.put('logged.txt', 'x')
    await log.getByRole('combobox', { name: 'Lines' }).selectOption('Without requests')
    await log.getByText('upload of "logged.txt" done').first().waitFor()
    expect(await log.getByText(`GET /held-${layout}`).count()).toBe(0)
    await log.getByRole('combobox', { name: 'Lines' }).selectOption('Warnings and errors')
    await log.getByText('No lines.').waitFor()
  })
})
