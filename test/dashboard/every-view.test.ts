import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, type SignedInOptions, shareBrowser } from '../helpers/browser.js'
import { salesCsv } from '../helpers/sales.js'
import { shareServer } from '../helpers/shared-server.js'

/** The addresses of the page, and what stands on each once it has loaded. */
const views: [path: string, shown: string][] = [
  ['/files/', 'docs'],
  ['/files/docs/', 'sales.csv'],
  ['/files/docs/?open=sales.csv', 'SHA-256'],
  ['/jobs', 'sales.csv'],
  ['/tables', 'sales'],
  ['/tables/sales', '60 rows'],
  ['/tables?import=docs/sales.csv', 'Every line can be read.'],
  ['/shared', 'docs/sales.csv'],
  ['/account', 'this one'],
  ['/admin/accounts', 'admin'],
  ['/admin/jobs', 'sales.csv'],
  ['/admin/server', 'takes new work'],
]

describe.skipIf(!chromiumPath)('every view', { timeout: 240_000 }, () => {
  const shared = shareServer()
  const browser = shareBrowser()

  async function open(options: SignedInOptions) {
    const caller = await shared.admin()
    if ((await caller.call('/files/docs/sales.csv')).status === 404) {
      await caller.put('docs/sales.csv', salesCsv(60))
      await caller.post('/import', { filename: 'docs/sales.csv' })
      await caller.post('/shares', { filename: 'docs/sales.csv', expiresIn: 600 })
      await caller.findJob('kind=import&state=done')
    }
    return browser.signedIn(shared.server.url, { username: 'admin', role: 'admin', ...options })
  }

  async function visit(page: Page, look: (path: string) => Promise<string[]>): Promise<string[]> {
    const faults: string[] = []
    for (const [path, shown] of views) {
      await page.goto(shared.server.url + path)
      await page.getByText(shown).first().waitFor()
      await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count()).toBe(0)
      for (const fault of await look(path)) faults.push(`${path}: ${fault}`)
    }
    return faults
  }

  it('keeps its place while it loads', async () => {
    const page = await open({ prepare: (page: Page) => page.addInitScript(watchShifts) })
    expect(await visit(page, () => page.evaluate(() => shifts))).toEqual([])
  })

  it.each([
    ['320 pixels', { viewport: { width: 320, height: 700 }, isMobile: true }],
    ['1280 pixels at 200 %', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
  ])('needs no sideways scrolling at %s', async (_, options) => {
    const page = await open(options)
    const faults = await visit(page, async () => {
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const)
      return wide > seen ? [`${wide} of ${seen}`] : []
    })
    expect(faults).toEqual([])
  })

  it.each([
    ['on a desktop', { viewport: { width: 1440, height: 900 } }],
    ['on a phone', { viewport: { width: 390, height: 844 }, isMobile: true }],
    ['in forced colours', { forcedColors: 'active' as const }],
  ])('has no violation of axe-core, %s', async (_, options) => {
    const page = await open({ ...options, colorScheme: 'light', prepare: (page: Page) => page.addInitScript(axe) })
    expect(await visit(page, () => findFaults(page, 'minor'))).toEqual([])
  })

  it('moves nothing for those who want no motion', async () => {
    const page = await open({})
    const moving = () =>
      document.getAnimations().map(({ effect }) => (effect as KeyframeEffect).target?.className ?? '')
    expect(await visit(page, () => page.evaluate(moving))).toEqual([])
  })
})

/** What moved in the page by itself, and how much: the share of the window times that of the way. */
declare const shifts: string[]

interface LayoutShift extends PerformanceEntry {
  value: number
  sources: { node: Node | null }[]
}

function watchShifts() {
  const shifts: string[] = []
  Object.assign(globalThis, { shifts })
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries() as LayoutShift[]) {
      // The rest is a word that becomes a little shorter.
      if (value < 0.001) continue
      const parts = sources.map(({ node }) => (node instanceof Element ? node.outerHTML : node?.textContent))
      shifts.push(`${value.toFixed(4)} ${parts.map((part) => part?.slice(0, 150)).join(' | ')}`)
    }
  }).observe({ type: 'layout-shift', buffered: true })
}
