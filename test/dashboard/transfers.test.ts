import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { shareServer } from '../helpers/shared-server.js'

const layouts = [
  ['desktop', { width: 1440, height: 900 }],
  ['phone', { width: 390, height: 844 }],
] as const

describe.skipIf(!chromiumPath)('the list of transfers in the dashboard', () => {
  const shared = shareServer({ jobsPerAccount: 200 })
  const browser = shareBrowser()
  let people = 0

  async function open({
    role = 'user',
    path = '/jobs',
    viewport = layouts[0][1] as { width: number; height: number },
  } = {}) {
    const username = role === 'admin' ? 'admin' : `mover-${++people}`
    const prepare = (page: Page) => page.addInitScript(axe)
    const page = await browser.signedIn(shared.server.url, { username, role, path, viewport, prepare })
    return { page, caller: new Caller(shared.server, await shared.server.logIn(username, role)), username }
  }
  const job = (page: Page, name: string) => page.getByRole('article', { name: `Upload ${name}`, exact: true })
  /** On a phone they are folded. */
  const showFilters = async (page: Page) => {
    const folded = page.getByText('Filters', { exact: true })
    if ((await folded.count()) > 0) await folded.click()
  }
  const queryOf = (page: Page) => new URL(page.url()).search

  it.each(layouts)(
    'finds last week’s failed upload, says why, and has it in the address (%s)',
    async (_layout, viewport) => {
      const { page, caller } = await open({ viewport })
      await caller.put('fine.bin', 'content')
      const digest = `sha-256=:${Buffer.alloc(32).toString('base64')}:`
      expect((await caller.put('broken.bin', 'content', { 'Repr-Digest': digest })).status).toBe(422)
      await job(page, 'fine.bin').waitFor()
      await showFilters(page)
      await page.getByLabel('State').selectOption('failed')
      await page.getByLabel('Ended').selectOption('in the last 7 days')
      await job(page, 'fine.bin').waitFor({ state: 'detached' })
      await job(page, 'broken.bin')
        .getByText(/digest/)
        .first()
        .waitFor()
      expect(queryOf(page)).toBe('?state=failed&since=week')
      await page.getByLabel('Failure').selectOption('The digest does not match')
      await expect.poll(() => queryOf(page)).toBe('?state=failed&since=week&error=digest-mismatch')
      await page.reload()
      await job(page, 'broken.bin').waitFor()
      expect(await page.getByLabel('State').inputValue()).toBe('failed')
      await job(page, 'broken.bin').getByRole('button', { name: 'broken.bin' }).click()
      await page
        .getByRole('dialog')
        .getByRole('region', { name: 'Why it failed' })
        .getByText('digest-mismatch')
        .waitFor()
      const { jobs } = (await caller.call('/jobs?state=failed')).json
      expect(new URL(page.url()).pathname).toBe(`/jobs/${jobs[0].id}`)
      await page.goBack()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await job(page, 'broken.bin').waitFor()
    },
  )

  it.each(layouts)(
    'pauses, limits and stops what is selected, and shows the receipt of one (%s)',
    async (_layout, viewport) => {
      const { page, caller, username } = await open({ viewport })
      const held = await Promise.all(['a.bin', 'b.bin', 'c.bin'].map((name) => holdUpload(caller, name)))
      const states = async () => (await Promise.all(held.map(({ id }) => caller.job(id)))).map(({ state }) => state)
      for (const name of ['a.bin', 'b.bin']) {
        await job(page, name)
          .getByRole('checkbox', { name: `Select Upload ${name}` })
          .check()
      }
      const bar = page.getByRole('region', { name: 'Selected jobs' })
      await bar.getByText('2 jobs selected').waitFor()
      await bar.getByRole('button', { name: 'Pause 2' }).click()
      await bar.getByRole('button', { name: 'Resume 2' }).waitFor()
      expect(await states()).toEqual(['paused', 'paused', 'running'])
      await bar.getByRole('button', { name: 'Resume 2' }).click()
      await bar.getByRole('button', { name: 'Pause 2' }).waitFor()
      await bar.getByRole('button', { name: 'Limit 2' }).click()
      await page.getByLabel('Bytes a second').fill('2 MiB/s')
      await page.keyboard.press('Enter')
      await job(page, 'b.bin').getByText('limit 2.0 MiB/s').waitFor()
      expect((await Promise.all(held.map(({ id }) => caller.job(id)))).map(({ rateLimit }) => rateLimit)).toEqual([
        2 * 1024 ** 2,
        2 * 1024 ** 2,
        null,
      ])
      await page.getByRole('checkbox', { name: 'Select all running jobs' }).check()
      await bar.getByText('3 jobs selected').waitFor()
      await bar.getByRole('button', { name: 'Stop 3' }).click()
      await bar.waitFor({ state: 'detached' })
      expect(await states()).toEqual(['stopped', 'stopped', 'stopped'])
      await page.getByText('Stopped 3 jobs').waitFor()
      await job(page, 'a.bin').getByRole('button', { name: 'a.bin' }).click()
      const receipt = page.getByRole('dialog').getByRole('region', { name: 'Receipt' })
      await receipt.getByText(`user:${username}`).waitFor()
      await receipt.getByText('yes, nothing is left').waitFor()
      await receipt.getByText('1 B', { exact: true }).waitFor()
    },
  )

  it('sorts into running, today and earlier, and loads more when it is scrolled', async () => {
    const { page, caller } = await open()
    for (let n = 0; n < 70; n++) await caller.put(`file-${n}`, 'x')
    const held = await holdUpload(caller, 'running.bin')
    await page.reload()
    await page.getByRole('heading', { level: 2, name: 'Running' }).waitFor()
    await page.getByRole('heading', { level: 2, name: 'Today' }).waitFor()
    const list = page.locator('.virtual')
    await eventually('the oldest job is loaded', async () => {
      await list.evaluate((box) => box.scrollTo(0, box.scrollHeight))
      return (await job(page, 'file-0').count()) > 0
    })
    expect(await page.getByRole('article').count()).toBeLessThan(60)
    held.finish()
    await list.evaluate((box) => box.scrollTo(0, 0))
    await job(page, 'running.bin').getByText('done', { exact: true }).waitFor()
  })

  it('shows the SQL of a query in its details, by its own address', async () => {
    const { caller, page } = await open()
    const { headers } = await caller.post('/query', { sql: 'select 42 as answer' })
    await page.goto(`${shared.server.url}/jobs/${headers['filejobs-job']}`)
    await page.getByRole('dialog').getByText('select 42 as answer').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => new URL(page.url()).pathname).toBe('/jobs')
  })

  it.each(layouts)('shows an admin the jobs of everyone by account, at an address (%s)', async (layout, viewport) => {
    const { page, caller: admin } = await open({ role: 'admin', path: '/admin/accounts', viewport })
    const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
    const [nameOfAnn, nameOfBob] = await Promise.all(
      [ann, bob].map(async (each) => (await each.call('/auth/me')).json.account),
    )
    await ann.put('of-ann.bin', 'x')
    await bob.put('of-bob.bin', 'x')
    await admin.put(`of-admin-${layout}.bin`, 'x')
    const held = await holdUpload(bob, 'running-of-bob.bin')
    await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'Jobs' }).click()
    await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor()
    await page.getByRole('heading', { level: 2, name: nameOfBob }).waitFor()
    await page.getByRole('heading', { level: 2, name: nameOfAnn }).waitFor()
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
    const heads = page.locator('.row:has(> .section-head)')
    const head = (await heads.first().boundingBox())!
    expect(head.height).toBe(36)
    // The first job follows the head at once.
    expect((await page.getByRole('article').first().boundingBox())!.y).toBeLessThan(head.y + head.height + 30)
    await showFilters(page)
    await page.getByLabel('By account').uncheck()
    await expect.poll(() => queryOf(page)).toBe('?group=time')
    await job(page, 'running-of-bob.bin').getByText(nameOfBob).waitFor()
    await page.getByRole('combobox', { name: 'Account', exact: true }).selectOption(nameOfBob)
    await job(page, 'of-ann.bin').waitFor({ state: 'detached' })
    await job(page, 'running-of-bob.bin').getByRole('button', { name: 'running-of-bob.bin', exact: true }).click()
    await page.getByRole('dialog').getByText(held.id).waitFor()
    expect(page.url()).toBe(
      `${shared.server.url}/admin/jobs/${held.id}?group=time&account=${encodeURIComponent(nameOfBob)}`,
    )
    await page.reload()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop running-of-bob.bin' }).click()
    const question = page.getByRole('dialog', { name: 'Stop it?' })
    await question.getByRole('button', { name: 'Stop', exact: true }).click()
    await question.waitFor({ state: 'detached' })
    await page.getByRole('dialog').getByText('stopped', { exact: true }).waitFor()
    await page.keyboard.press('Escape')
    await page.goto(`${shared.server.url}/jobs`)
    await job(page, `of-admin-${layout}.bin`).waitFor()
    expect(await job(page, 'of-bob.bin').count()).toBe(0)
  })

  it.each(layouts)(
    'has no serious axe-core violations, in light and in dark colors (%s)',
    async (_layout, viewport) => {
      const { page, caller } = await open({ viewport })
      const long = `${'long-name-'.repeat(12)}.bin`
      await caller.put(long, 'x')
      const held = await holdUpload(caller, 'running.bin')
      const stopped = await holdUpload(caller, 'stopped.bin')
      await caller.post(`/jobs/${stopped.id}/stop`)
      await job(page, 'stopped.bin').getByText('stopped', { exact: true }).waitFor()
      const faults: Record<string, string[]> = { list: await findFaults(page) }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width)
      await page.getByRole('checkbox', { name: 'Select Upload running.bin' }).check()
      faults.selection = await findFaults(page)
      await page.getByRole('button', { name: 'Limit 1' }).click()
      faults.limit = await findFaults(page)
      await page.keyboard.press('Escape')
      await job(page, 'stopped.bin').getByRole('button', { name: 'stopped.bin' }).click()
      await page.getByRole('dialog').getByRole('region', { name: 'Receipt' }).waitFor()
      faults.details = await findFaults(page)
      await page.keyboard.press('Escape')
      held.finish()
      await page.getByRole('region', { name: 'Selected jobs' }).waitFor({ state: 'detached' })
      await showFilters(page)
      await page.getByLabel('Kind').selectOption('query')
      await page.getByText('No job fits', { exact: true }).waitFor()
      faults.empty = await findFaults(page)
      expect(Object.fromEntries(Object.entries(faults).filter(([, found]) => found.length > 0))).toEqual({})
    },
  )
})
