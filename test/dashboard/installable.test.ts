import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { shareServer } from '../helpers/shared-server.js'

describe.skipIf(!chromiumPath)('the dashboard as an application', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  it('can be installed: the browser finds its name, its icons and nothing that is missing', async () => {
    const page = await browser.signedIn(shared.server.url)
    const session = await page.context().newCDPSession(page)
    const { url, errors, data } = await session.send('Page.getAppManifest')
    expect([url, errors]).toEqual([`${shared.server.url}/manifest.webmanifest`, []])
    const { name, display, icons } = JSON.parse(data ?? '')
    expect([name, display]).toEqual(['filejobs', 'standalone'])
    for (const { src, sizes, type } of icons) {
      const answer = await page.request.get(shared.server.url + src)
      expect([answer.status(), answer.headers()['content-type']]).toEqual([200, type])
      if (type !== 'image/png') continue
      // The width of a PNG is in its first chunk.
      const width = (await answer.body()).readUInt32BE(16)
      expect(`${width}x${width}`).toBe(sizes)
    }
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
    // A window without a profile of its own installs nothing; everything else would be a fault of the page.
    expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([])
  })
})
