import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const mark = "globalThis.isAttacked = true; new BroadcastChannel('attack').postMessage('attacked')"
const uploads = {
  'evil.js': ['text/javascript', mark],
  'evil.mjs': ['text/javascript', `${mark}; export default 1`],
  'evil.css': ['text/css', 'body { z-index: 666 }'],
  'evil.html': ['text/html', `<script>parent.isAttacked = true; ${mark}</script>`],
  'evil.svg': ['image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg"><script>${mark}</script></svg>`],
  'evil.xml': ['text/xml', `<html xmlns="http://www.w3.org/1999/xhtml"><script>${mark}</script></html>`],
} as const

describe.skipIf(!chromiumPath)('an uploaded file in the origin of the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open(path: string): Promise<Page> {
    const username = `victim-${++people}`
    // The policy speaks up in the console, as it should.
    const page = await browser.signedIn(shared.server.url, { username, mayMeetErrors: true })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (const [name, [type, body]] of Object.entries(uploads)) await caller.put(name, body, { 'Content-Type': type })
    await page.goto(shared.server.url + path)
    return page
  }

  it.each(['/', '/openapi.json'])('never runs as code embedded in %s in any way', async (path) => {
    const page = await open(path)
    const found = await page.evaluate(attack)
    // As text, because the test's own loader rewrites imports.
    const imported = await page.evaluate(`import('/files/evil.mjs').then(() => 'loaded', () => 'refused')`)
    expect({ ...found, import: imported }).toEqual({
      script: 'refused',
      module: 'refused',
      import: 'refused',
      stylesheet: 'refused',
      worker: 'refused',
      moduleWorker: 'refused',
      sharedWorker: 'refused',
      serviceWorker: 'refused',
      isAttacked: false,
      isStyled: false,
    })
  })

  it('is rejected by Sec-Fetch-Dest for any page, while the dashboard’s own files load', async () => {
    const ann = await shared.newCaller()
    await ann.put('evil.js', 'alert(1)', { 'Content-Type': 'text/javascript' })
    const { url } = (await ann.post('/shares', { filename: 'evil.js', expiresIn: 60 })).json
    const as = (path: string, destination: string) => ann.call(path, { headers: { 'Sec-Fetch-Dest': destination } })
    for (const path of ['/files/evil.js', new URL(url).pathname, '/files?limit=1']) {
      for (const destination of ['script', 'worker', 'serviceworker', 'sharedworker', 'style', 'object', 'xslt']) {
        const { status, json } = await as(path, destination)
        expect([path, destination, status, json.code]).toEqual([path, destination, 403, 'not-allowed'])
      }
      for (const destination of ['empty', 'document', 'image']) expect((await as(path, destination)).status).toBe(200)
    }
    const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec((await ann.call('/')).body.toString()) ?? []
    expect((await as(script!, 'script')).status).toBe(200)
  })

  it('has a sandboxing Content-Security-Policy, and is same-origin only unless it is shared', async () => {
    const ann = await shared.newCaller()
    await ann.put('page.html', '<script>1</script>', { 'Content-Type': 'text/html' })
    const { url } = (await ann.post('/shares', { filename: 'page.html', expiresIn: 60 })).json
    for (const [path, policy] of [
      ['/files/page.html', 'same-origin'],
      [new URL(url).pathname, 'cross-origin'],
    ] as const) {
      const { headers } = await ann.call(path)
      expect(headers).toMatchObject({
        'content-security-policy': "sandbox; default-src 'none'",
        'cross-origin-resource-policy': policy,
        'x-content-type-options': 'nosniff',
        'content-disposition': expect.stringMatching(/^attachment;/),
      })
    }
  })
})

/** Runs in the page: everything that could make code of a file. */
async function attack() {
  const state = globalThis as { isAttacked?: boolean }
  const channel = new BroadcastChannel('attack')
  channel.onmessage = () => {
    state.isAttacked = true
  }
  const element = (name: string, attributes: Record<string, string>) =>
    new Promise<string>((resolve) => {
      const made = Object.assign(document.createElementNS('http://www.w3.org/1999/xhtml', name), attributes)
      made.addEventListener('load', () => resolve('loaded'))
      made.addEventListener('error', () => resolve('refused'))
      document.documentElement.append(made)
    })
  const started = (make: () => Worker) =>
    new Promise<string>((resolve) => {
      try {
        const worker = make()
        worker.addEventListener('error', () => resolve('refused'))
        channel.addEventListener('message', () => resolve('loaded'))
      } catch {
        resolve('refused')
      }
    })
  const ended = (work: Promise<unknown>) =>
    work.then(
      () => 'loaded',
      () => 'refused',
    )
  for (const [name, of] of [
    ['iframe', { src: '/files/evil.html' }],
    ['iframe', { src: '/files/evil.svg' }],
    ['object', { data: '/files/evil.svg', type: 'image/svg+xml' }],
    ['embed', { src: '/files/evil.html' }],
    ['img', { src: '/files/evil.svg' }],
  ] as const) {
    void element(name, of as Record<string, string>)
  }
  const evil = '/files/evil.js'
  return {
    script: await element('script', { src: evil }),
    module: await element('script', { src: '/files/evil.mjs', type: 'module' }),
    stylesheet: await element('link', { rel: 'stylesheet', href: '/files/evil.css' }),
    worker: await started(() => new Worker(evil)),
    moduleWorker: await started(() => new Worker('/files/evil.mjs', { type: 'module' })),
    sharedWorker: await new Promise<string>((resolve) => {
      try {
        new SharedWorker(evil).onerror = () => resolve('refused')
        channel.addEventListener('message', () => resolve('loaded'))
      } catch {
        resolve('refused')
      }
    }),
    serviceWorker: await ended(navigator.serviceWorker.register(evil, { scope: '/files/' })),
    isAttacked: state.isAttacked === true,
    isStyled: getComputedStyle(document.body).zIndex === '666',
  }
}
