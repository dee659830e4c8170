import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { makeReady } from './ready.mjs'
import { fontSettings } from './screenshots/fonts.mjs'
import { startStage } from './screenshots/stage.mjs'
import { takeTerminal } from './screenshots/terminal.mjs'

/** `npm run screenshots`: takes the pictures of docs/pictures from the running program. Needs Chromium, tmux and curl. */
makeReady()
const pictures = new URL('../docs/pictures/', import.meta.url).pathname
mkdirSync(pictures, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'filejobs-pictures-'))
const stage = await startStage(folder)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  env: { ...process.env, ...fontSettings(folder) },
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--hide-scrollbars'],
})
try {
  await takeTerminal({ browser, stage, folder, path: join(pictures, 'terminal.png') })
  await stage.fill()
  const desktop = { width: 1280, height: 800 }
  const pages = {
    'jobs-light': await open('light', desktop, 'jobs'),
    'jobs-dark': await open('dark', desktop, 'jobs'),
    'jobs-phone': await open('dark', { width: 390, height: 780 }, 'jobs'),
    'files-light': await open('light', desktop, 'files/'),
    'table-light': await open('light', desktop, 'tables/sales'),
  }
  await pages['table-light'].getByText('Summary', { exact: true }).click()
  await stage.runTransfers(45)
  for (const [name, page] of Object.entries(pages)) await page.screenshot({ path: join(pictures, `${name}.png`) })
} finally {
  await browser.close()
  await stage.close()
  rmSync(folder, { recursive: true, force: true })
}

/** A page of the dashboard, signed in. */
async function open(colorScheme, viewport, view) {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    locale: 'en-GB',
    deviceScaleFactor: viewport.width < 500 ? 2 : 1.5,
  })
  const page = await context.newPage()
  await page.goto(stage.url)
  await page.getByLabel('Username').fill('ann')
  await page.getByLabel('Password').fill(stage.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Live', { exact: true }).waitFor()
  await page.goto(`${stage.url}/${view}`)
  return page
}
