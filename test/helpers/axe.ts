import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** To be evaluated in a page before `findFaults`. */
export const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

/** The rules whose result depends on colors, which are all that the two themes do not share. */
const colorRules = ['color-contrast', 'link-in-text-block']

/** What axe-core finds serious or worse on the page in light colors, and in dark ones. */
export async function findFaults(page: Page, impact: 'minor' | 'serious' = 'serious'): Promise<string[]> {
  const inLight = await runAxe(page, impact)
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)).toBe(true)
  const inDark = await runAxe(page, impact, colorRules)
  await page.emulateMedia({ colorScheme: 'light' })
  return [...inLight, ...inDark.map((fault) => `dark: ${fault}`)]
}

async function runAxe(page: Page, least: string, rules?: string[]): Promise<string[]> {
  const violations = (await page.evaluate(async (runOnly) => {
    const options = { resultTypes: ['violations'], ...(runOnly && { runOnly }) }
    // biome-ignore lint/suspicious/noExplicitAny: axe puts itself there
    return (await (globalThis as any).axe.run(document, options)).violations
  }, rules)) as Violation[]
  return violations
    .filter(({ impact }) => least === 'minor' || impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`))
}
