import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ShareRecord } from '../../../dist/protocol/shares.js'
import type { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer()
const asBrowser = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

async function makeLink(filename: string, content: string | Buffer, terms: object = {}) {
  const ann = await shared.newCaller()
  await ann.put(encodeURI(filename), content)
  const { status, json } = await ann.post('/shares', { filename, expiresIn: 60, ...terms })
  expect(status).toBe(201)
  return { ann, ...(json as ShareRecord) }
}

async function open(url: string, headers: Record<string, string> = {}) {
  const answer = await fetch(url, { headers: { ...asBrowser, ...headers } })
  expect(answer.headers.get('content-type')).toBe('text/html; charset=UTF-8')
  return { status: answer.status, headers: answer.headers, page: await answer.text() }
}

async function useOf(owner: Caller) {
  const [{ opened, downloads }] = (await owner.call('/shares')).json.shares
  return { opened, downloads }
}

describe('the page of a link to a file', () => {
  it('shows name, size, owner, digest, note and the text, and has the download', async () => {
    const text = 'a,b\n1,<script>alert(1)</script>\n'
    const { ann, url } = await makeLink('top/the file.csv', text, { note: 'For <you>' })
    const { status, page } = await open(url)
    expect(status).toBe(200)
    const { username } = (await ann.call('/auth/me')).json
    for (const words of [username, '<h1>the file.csv</h1>', '32 bytes', 'For &lt;you&gt;', '&lt;script&gt;']) {
      expect(page).toContain(words)
    }
    expect(page).toContain(createHash('sha256').update(text).digest('hex'))
    expect(page).not.toMatch(/<script|top\//)
    const [, link] = /<a class="button primary" href="([^"]+)">Download/.exec(page)!
    expect(await useOf(ann)).toEqual({ opened: 1, downloads: 0 })
    // A browser navigates there.
    const download = await fetch(new URL(link!, url), { headers: asBrowser })
    expect([download.headers.get('content-disposition'), await download.text()]).toEqual([
      expect.stringContaining('attachment'),
      text,
    ])
    await eventually('it is counted', async () => (await useOf(ann)).downloads === 1)
  })

  it('allows nothing but its own style and images, and is neither framed nor cached', async () => {
    const { url } = await makeLink('file', 'x')
    const { headers, page } = await open(url)
    const style = /<style>([\s\S]*)<\/style>/.exec(page)![1]!
    const policy = headers.get('content-security-policy')
    expect(policy).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`)
    expect(policy).toMatch(/^default-src 'none'; (?!.*(unsafe|script-src)).*frame-ancestors 'none'$/)
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('vary')).toMatch(/\bAccept\b/)
  })

  it('previews an image without counting a download', async () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    const { ann, url } = await makeLink('photo.png', png)
    const [, source] = /<img class="preview" src="([^"]+)"/.exec((await open(url)).page)!
    const image = await fetch(new URL(source!, url))
    expect(Buffer.from(await image.arrayBuffer())).toEqual(png)
    expect(image.headers.get('content-security-policy')).toContain('sandbox')
    await fetch(`${url}?download`).then((answer) => answer.arrayBuffer())
    await eventually('only the download is counted', async () => (await useOf(ann)).downloads === 1)
  })

  it.each([
    ['a binary file', 'a.bin', Buffer.from([0, 1, 2])],
    ['a text that is not UTF-8', 'a.txt', Buffer.from([0x61, 0xff])],
    ['an empty text', 'a.txt', ''],
  ])('has no preview of %s', async (_, name, content) => {
    expect((await open((await makeLink(name, content)).url)).page).not.toContain('class="preview"')
  })

  it('shows the beginning of a long text', async () => {
    // The limit of 16 KiB cuts the last character.
    const { page } = await open((await makeLink('long.txt', 'ä€'.repeat(10_000))).url)
    expect(/<pre[^>]*>([^<]*)</.exec(page)![1]).toMatch(/^ä€[ä€]{6000,7000}\n…$/)
  })

  it('has no preview where downloads are limited, and says how many are left', async () => {
    const { ann, url } = await makeLink('secret.txt', 'the content', { maxDownloads: 2 })
    expect((await open(url)).page).not.toContain('the content')
    for (const path of ['?preview', '?download']) await fetch(url + path).then((answer) => answer.text())
    await eventually('both are counted', async () => (await useOf(ann)).downloads === 2)
    const { status, page } = await open(url)
    expect([status, page]).toEqual([410, expect.stringContaining('<h1>This link has been used up</h1>')])
  })
})

describe('the page of a link with a password', () => {
  const password = 'the päss word'

  async function send(url: string, password: string, headers: Record<string, string> = asBrowser) {
    return fetch(url, { method: 'POST', body: new URLSearchParams({ password }), headers, redirect: 'manual' })
  }

  it('asks for it, and opens for a browser that has sent it', async () => {
    const { url } = await makeLink('file.txt', 'some text', { password })
    const asked = await open(url)
    expect([asked.status, asked.page]).toEqual([401, expect.stringContaining('<form method="post" action="/s/')])
    expect(asked.headers.get('www-authenticate')).not.toMatch(/Basic/)
    expect(asked.headers.get('referrer-policy')).toBe('same-origin')
    expect(asked.page).not.toMatch(/file\.txt|some text/)

    const wrong = await send(url, 'another one')
    expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining('role="alert"')])
    expect(wrong.headers.get('set-cookie')).toBeNull()

    const right = await send(url, password)
    expect([right.status, right.headers.get('location')]).toEqual([303, new URL(url).pathname])
    const [pair = '', ...attributes] = right.headers.get('set-cookie')!.split('; ')
    expect(attributes).toEqual([`Path=${new URL(url).pathname}`, 'Max-Age=14400', 'HttpOnly', 'SameSite=Lax'])
    expect((await open(url, { Cookie: `other=1; ${pair}` })).page).toContain('some text')
    expect(await (await fetch(url, { headers: { Cookie: pair } })).text()).toBe('some text')
  })

  it('accepts no cookie of another link, nor one that was changed or has expired', async () => {
    const { url } = await makeLink('file', 'x', { password })
    const other = await makeLink('file', 'x', { password })
    const cookieOf = async (url: string) => (await send(url, password)).headers.get('set-cookie')!.split(';')[0]!
    const cookie = await cookieOf(url)
    const later = cookie.replace(/=(\d+)/, (_, expires) => `=${Number(expires) + 1}`)
    for (const wrong of [await cookieOf(other.url), later, cookie.slice(0, -1), 'filejobs-link=', 'filejobs-link=.']) {
      expect((await open(url, { Cookie: wrong })).status, wrong).toBe(401)
    }
    expect((await open(url, { Cookie: cookie })).status).toBe(200)
  })

  it('takes no password from pages of other origins, and answers programs with a problem', async () => {
    const { url } = await makeLink('file', 'x', { password })
    expect((await send(url, password, { ...asBrowser, 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    const answer = await send(url, 'wrong', { Accept: 'application/json' })
    expect([answer.status, await answer.json()]).toMatchObject([401, { code: 'wrong-password' }])
  })

  it('is that of everything in a folder', async () => {
    const { url } = await makeLink('top/sub/file', 'text', { filename: 'top/', password })
    const cookie = (await send(url, password)).headers.get('set-cookie')!.split(';')[0]!
    expect((await open(`${url}/sub/`)).status).toBe(401)
    expect((await open(`${url}/sub/`, { Cookie: cookie })).page).toContain('<h1>top/sub/</h1>')
    expect(await (await fetch(`${url}/sub/file`, { headers: { ...asBrowser, Cookie: cookie } })).text()).toBe('text')
  })
})

describe('what is wrong with a link', () => {
  it('is said in words to a browser, and by a code to a program', async () => {
    const { ann, url, id } = await makeLink('file', 'x', { expiresIn: 1 })
    await eventually('it expires', async () => (await fetch(url)).status === 410)
    expect(await open(url)).toMatchObject({ status: 410, page: expect.stringContaining('This link has expired') })
    await ann.call(`/shares/${id}`, { method: 'DELETE' })
    for (const [path, title] of Object.entries({ [url]: 'does not work', [`${ann.url}/s/guessed`]: 'does not work' })) {
      expect(await open(path)).toMatchObject({ status: 404, page: expect.stringContaining(title) })
      expect(await (await fetch(path)).json()).toMatchObject({ code: 'share-not-found' })
    }
  })

  it('is said without the names above a folder that is gone', async () => {
    const { ann, url } = await makeLink('secret/in/file', 'x', { filename: 'secret/in/' })
    await ann.call('/files/secret/in/', { method: 'DELETE' })
    const { status, page } = await open(url)
    expect([status, page]).toEqual([404, expect.stringContaining('There is no folder &quot;in/&quot;')])
    expect(page).not.toContain('secret')
  })
})

describe('the archive of a link', () => {
  async function makeFolder(terms: object = {}) {
    const ann = await shared.newCaller()
    for (const name of ['top/in/a', 'top/in/sub/b', 'top/secret']) await ann.put(name, `this is ${name.slice(-1)}`)
    const { json } = await ann.post('/shares', { filename: 'top/in/', expiresIn: 60, ...terms })
    return { ann, ...(json as ShareRecord) }
  }

  it('holds everything in its folder, or in one of it, and is one download', async () => {
    const { ann, url } = await makeFolder()
    const { page } = await open(url)
    const [, zip] = /href="([^"]+)">Download all as ZIP/.exec(page)!
    const answer = await fetch(new URL(zip!, url), { headers: asBrowser })
    expect(answer.headers.get('content-type')).toBe('application/zip')
    expect(answer.headers.get('content-disposition')).toContain('filename="in.zip"')
    const content = Buffer.from(await answer.arrayBuffer()).toString('latin1')
    expect(content).toContain('in/sub/b')
    expect(content).not.toMatch(/top|secret/)
    const tar = await (await fetch(`${url}/sub/?archive=tar`)).text()
    expect(tar).toContain('sub/b')
    expect(tar).not.toContain('this is a')
    expect((await fetch(`${url}?archive=zip`, { method: 'HEAD' })).status).toBe(200)
    expect((await fetch(`${url}?archive=rar`)).status).toBe(400)
    await eventually('both are counted', async () => (await useOf(ann)).downloads === 2)
    expect(await ann.findJob('kind=export')).toMatchObject({ account: expect.stringMatching(/^share:/), state: 'done' })
  })

  it('respects the limit of downloads', async () => {
    const { url } = await makeFolder({ maxDownloads: 1 })
    await (await fetch(`${url}?archive=tar`)).text()
    await eventually('it is exhausted', async () => (await fetch(`${url}?archive=tar`)).status === 410)
  })

  it('that the owner stops is given back', async () => {
    const ann = await shared.newCaller()
    await ann.put('in/big', Buffer.alloc(24 * 1024 ** 2, 'x'))
    const { url } = (await ann.post('/shares', { filename: 'in/', expiresIn: 60, maxDownloads: 1 })).json
    const held = new AbortController()
    const reading = await fetch(`${url}?archive=tar`, { signal: held.signal })
    const job = await ann.findJob('kind=export&state=running')
    expect((await fetch(`${url}?archive=tar`)).status).toBe(503)
    expect((await ann.post(`/jobs/${job.id}/stop`)).status).toBe(200)
    await expect(reading.arrayBuffer()).rejects.toThrow()
    await eventually(
      'it works',
      async () => (await fetch(`${url}/big`, { headers: { Range: 'bytes=-1' } })).status === 206,
    )
  })
})

describe('a link to several files and folders', () => {
  async function select(files: string[], terms: object = {}) {
    const ann = await shared.newCaller()
    for (const name of ['top/a', 'top/b', 'top/c', 'top/in/d', 'top/in/e', 'other'])
      await ann.put(name, `it is ${name}`)
    const answer = await ann.post('/shares', { files, expiresIn: 60, ...terms })
    return { ann, answer, ...(answer.json as ShareRecord) }
  }

  it('lists and serves these only, by names below their folder', async () => {
    const { ann, url, filename, files } = await select(['top/a', 'top/in/', 'top/in/d', 'top/b', 'top/a'])
    expect([filename, files]).toEqual(['top/', ['top/in/', 'top/a', 'top/b']])
    const list = await (await fetch(url)).json()
    expect(list).toMatchObject({
      folders: [{ name: 'in/' }],
      files: [{ name: 'a' }, { name: 'b' }],
      totals: { folders: 1, files: 2 },
      next: null,
    })
    expect(await (await fetch(`${url}/in/`)).json()).toMatchObject({ files: [{ name: 'in/d' }, { name: 'in/e' }] })
    for (const name of ['a', 'in/e']) expect(await (await fetch(`${url}/${name}`)).text()).toBe(`it is top/${name}`)
    for (const name of ['c', 'other', '%2E%2E/other', 'a/', 'inn/', 'in']) {
      const { status } = await ann.call(`${new URL(url).pathname}/${name}`)
      expect([400, 404], name).toContain(status)
    }
    const { page } = await open(url)
    expect(page).toContain('<h1>1 folder and 2 files</h1>')
    const tar = await (await fetch(`${url}?archive=tar`)).text()
    for (const name of ['a', 'b', 'in/d', 'in/e']) expect(tar).toContain(`it is top/${name}`)
    expect(tar).not.toContain('it is top/c')
  })

  it('works on while some of them are gone, and is unavailable without any', async () => {
    const { ann, url, id } = await select(['top/a', 'other'])
    await ann.call('/files/top/a', { method: 'DELETE' })
    expect((await (await fetch(url)).json()).files).toMatchObject([{ name: 'other' }])
    expect(await (await fetch(`${url}?archive=tar`)).text()).toContain('it is other')
    await ann.call('/files/other', { method: 'DELETE' })
    expect((await fetch(`${url}?archive=tar`)).status).toBe(404)
    expect((await ann.call('/shares')).json.shares).toMatchObject([{ id, available: false }])
  })

  it('is a plain link if one is left, and needs files that exist', async () => {
    const { url, filename, files } = await select(['top/in/', 'top/in/d'])
    expect([filename, files]).toEqual(['top/in/', null])
    expect(await (await fetch(`${url}/e`)).text()).toBe('it is top/in/e')
    expect((await select(['top/a', 'missing'])).answer).toMatchObject({ status: 404, json: { name: 'missing' } })
    const long = Array.from({ length: 200 }, (_, index) => `${'x'.repeat(200)}${index}`)
    for (const wrong of [[], ['/'], [...long, 'one more'], long]) {
      expect((await select(wrong)).answer, `${wrong.length}`).toMatchObject({ status: 400 })
    }
    expect((await select(['top/a'], { filename: 'top/b' })).answer).toMatchObject({ json: { field: 'filename' } })
  })
})
