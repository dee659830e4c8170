import { readFileSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

/** `node scripts/make-icons.mjs`: draws the icons of the installed page from src/dashboard/public/favicon.svg. Needs Chromium. */
const folder = new URL('../src/dashboard/public/', import.meta.url)
const drawing = readFileSync(new URL('favicon.svg', folder), 'utf8')
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
try {
  await draw('192', 192, drawing)
  await draw('512', 512, drawing)
  // A system cuts it to its own shape: what matters lies in the middle, and the ground reaches the edges.
  await draw('maskable-512', 512, drawing.replace('viewBox="0 0 32 32"', 'viewBox="-4 -4 40 40" class="maskable"'))
} finally {
  await browser.close()
}

async function draw(name, size, svg) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  const ground = svg.includes('maskable') ? 'html { background: #3b5bdb }' : ''
  await page.setContent(
    `<style>* { margin: 0 } svg { display: block; width: 100vw; height: 100vh } ${ground}</style>${svg}`,
  )
  writeFileSync(new URL(`icons/${name}.png`, folder), await page.screenshot({ omitBackground: ground === '' }))
  await page.close()
}
