import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', { viewport: { width: 390, height: 780 }, isMobile: true }],
] as const

const guide = `# The *guide* &amp; more

See [the notes](other/notes.txt), [the folder](other/) and [the site](https://example.invalid/a?b=1&amp;c=2).

1. first **bold** ~~gone~~ \`code <b>\`
2. second

- [x] done
- [ ] open

| name | amount |
|:-----|-------:|
| ${'wide '.repeat(40)} | 2 |

> quoted

![A square](square.svg)

\`\`\`js
if (a < b) run()
\`\`\`
`

const hostile = `
<script>globalThis.isAttacked = true</script>

<img src="x" onerror="globalThis.isAttacked = true">
<div onclick="globalThis.isAttacked = true" style="position:fixed;inset:0">

text <b onmouseover="globalThis.isAttacked = true">bold</b> <iframe src="/files/page.html"></iframe>

[a](javascript:globalThis.isAttacked=true) [b](JaVaScRiPt&colon;globalThis.isAttacked=true) [c](<java\tscript:globalThis.isAttacked=true>)
[d](data:text/html,<script>1</script>) [e](vbscript:x) [f](file:///etc/passwd) [g](blob:x) [h](//host.invalid/x)
[i](../../auth/logout) [j](/admin/server) [k](https://host.invalid/"onclick="x) [ref] <javascript:globalThis.isAttacked=true>

![one](https://host.invalid/pixel.png) ![two](//host.invalid/pixel.png) ![three](data:image/png;base64,AAAA)
![four](/favicon.svg) ![five](../../auth/me "x\\" onerror=\\"globalThis.isAttacked=true") ![six](\\\\\\\\host.invalid/pixel.png)

[ref]: javascript:globalThis.isAttacked=true "x"
`

describe.skipIf(!chromiumPath)('the preview of a document in Markdown', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function openWith(files: Record<string, string>, path: string, options: object = {}) {
    const username = `reader-${++people}`
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (const [name, body] of Object.entries(files)) await caller.put(name, body)
    const page = await browser.signedIn(shared.server.url, { username, path, ...options })
    return { page, shown: page.locator('.markdown') }
  }

  it.each(layouts)('is formatted, and its links open what is beside it, %s', async (_, layout) => {
    const files = {
      'docs/guide.md': guide,
      'docs/square.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"/>',
      'docs/other/notes.txt': 'the notes are here',
    }
    const options = { ...layout, prepare: (page: import('playwright-core').Page) => page.addInitScript(axe) }
    const { page, shown } = await openWith(files, '/files/docs/', { ...options, colorScheme: 'light' })
    await rowOf(page, 'docs/guide.md').getByRole('link').click()
    await shown.getByRole('heading', { name: 'The guide & more' }).waitFor()
    expect(await shown.locator('li:not(.markdown-task)').allInnerTexts()).toEqual([
      'first bold gone code <b>',
      'second',
    ])
    expect(await shown.getByRole('checkbox').evaluateAll((all) => all.map((box) => box.matches(':checked')))).toEqual([
      true,
      false,
    ])
    expect(await shown.getByRole('cell', { name: '2', exact: true }).count()).toBe(1)
    expect(await shown.locator('pre').textContent()).toBe('if (a < b) run()')
    const image = shown.getByRole('img', { name: 'A square' })
    expect(await image.evaluate((one: HTMLImageElement) => one.decode().then(() => one.naturalWidth))).toBe(40)
    const site = shown.getByRole('link', { name: 'the site' })
    expect(await site.getAttribute('href')).toBe('https://example.invalid/a?b=1&c=2')
    expect(await site.getAttribute('rel')).toBe('noopener noreferrer nofollow')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
    expect(await findFaults(page)).toEqual([])
    await shown.getByRole('link', { name: 'the notes' }).click()
    await page.locator('[data-preview="docs/other/notes.txt"]').getByText('the notes are here').waitFor()
    await page.goBack()
    await shown.getByRole('link', { name: 'the folder' }).click()
    await page.waitForURL('**/files/docs/other/')
  })

  it('gets no power in the page, whatever is in it, and loads nothing from elsewhere', async () => {
    const asked: string[] = []
    const { page, shown } = await openWith({ 'evil.md': hostile }, '/files/', {
      prepare: async (made: import('playwright-core').Page) => {
        made.on('request', (request) => asked.push(request.url()))
      },
    })
    await rowOf(page, 'evil.md').getByRole('link').click()
    await shown.getByText('<script>globalThis.isAttacked = true</script>').waitFor()
    const found = await shown.evaluate((root) => {
      const all = [...root.querySelectorAll('*')]
      return {
        elements: [...new Set(all.map(({ localName }) => localName))].sort(),
        attributes: [...new Set(all.flatMap((one) => one.getAttributeNames()))].sort(),
        links: [...root.querySelectorAll('a')].map((link) => link.href),
      }
    })
    expect(found).toEqual({
      elements: ['a', 'p', 'pre', 'span'],
      attributes: ['class', 'href', 'rel', 'target', 'title'],
      links: ['https://host.invalid/x', 'https://host.invalid/%22onclick=%22x'].map((link) =>
        link.replace('https://host.invalid/x', `${new URL(shared.server.url).protocol}//host.invalid/x`),
      ),
    })
    await shown.getByText('Image, not loaded from elsewhere: one').waitFor()
    for (const link of await shown.locator('p > span').all()) await link.click()
    expect(await page.evaluate(() => (globalThis as { isAttacked?: boolean }).isAttacked)).toBeUndefined()
    expect(asked.filter((url) => !url.startsWith(shared.server.url))).toEqual([])
    expect(asked.filter((url) => url.endsWith('/auth/me?preview') || url.includes('favicon.svg?'))).toEqual([])
  })

  it('is shown as text if it is nested beyond reading', async () => {
    const nested = Array.from({ length: 100 }, (_, depth) => `${'  '.repeat(depth)}- level ${depth}`).join('\n')
    const { page, shown } = await openWith(
      { 'deep.md': '> '.repeat(60_000), 'list.md': `${nested}\n\n${'*a'.repeat(50_000)}` },
      '/files/',
    )
    await rowOf(page, 'deep.md').getByRole('link').click()
    await shown.getByText('> > > >').waitFor()
    await page.keyboard.press('ArrowRight')
    await shown.getByText('- level 99').waitFor()
  })
})
