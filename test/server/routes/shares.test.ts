import http from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ShareRecord } from '../../../dist/protocol/shares.js'
import { answerOf, type Caller } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { storedShares } from '../../helpers/stored-state.js'

const shared = shareServer()

async function newOwner() {
  const ann = await shared.newCaller()
  await ann.put('a%20file.txt', 'some text')
  return ann
}

async function share(owner: Caller, filename = 'a file.txt', expiresIn = 60, terms: object = {}) {
  const { status, json } = await owner.post('/shares', { filename, expiresIn, ...terms })
  expect(status).toBe(201)
  return json as { id: string; url: string; filename: string; expiresAt: string }
}

async function listed(owner: Caller, id: string) {
  const { json } = await owner.call('/shares')
  return (json.shares as ShareRecord[]).find((each) => each.id === id)
}

/** Starts a download that is not read, and waits until its job runs. */
async function holdDownload(url: string) {
  const request = http.get(url, { agent: false })
  const response = new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve))
  request.on('error', () => {})
  const reader = await response
  const broken = new Promise<Error>((resolve) => reader.on('error', resolve))
  return {
    request,
    /** Reads on, and resolves when the connection breaks before the end. */
    breaks: () => within('the download is cut', reader.resume() && broken),
  }
}

describe('a share', () => {
  it('gives its file to anyone with the link, without an account', async () => {
    const ann = await newOwner()
    const before = Date.now()
    const { url, filename, expiresAt } = await share(ann)
    expect(url).toMatch(new RegExp(`^${ann.url}/s/[\\w-]{44}$`))
    expect(filename).toBe('a file.txt')
    expect(Date.parse(expiresAt)).toBeGreaterThanOrEqual(before + 60_000)
    expect(Date.parse(expiresAt)).toBeLessThanOrEqual(Date.now() + 60_000)
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([200, 'some text'])
    expect(answer.headers.get('content-disposition')).toContain('a%20file.txt')
    expect(answer.headers.get('content-security-policy')).toContain('sandbox')
    const part = await fetch(url, { headers: { Range: 'bytes=5-' } })
    expect([part.status, await part.text()]).toEqual([206, 'text'])
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '9'])
  })

  it('has an id that cannot be mistaken for a command-line option', async () => {
    const ann = await newOwner()
    // One in 64 random ones would begin with a dash.
    const made = await Promise.all(Array.from({ length: 300 }, () => share(ann)))
    expect(made.filter(({ id }) => id.startsWith('-'))).toEqual([])
  })

  it('is listed and revoked by its owner only', async () => {
    const [ann, bob] = [await newOwner(), await newOwner()]
    const [first, second] = [await share(ann), await share(ann)]
    expect((await ann.call('/shares')).json.shares).toMatchObject([
      { id: second.id, url: second.url },
      { id: first.id },
    ])
    expect((await bob.call('/shares')).json.shares).toEqual([])
    expect(await bob.call(`/shares/${first.id}`, { method: 'DELETE' })).toMatchObject({
      status: 404,
      json: { code: 'share-not-found' },
    })
    expect((await ann.call(`/shares/${first.id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await ann.call(`/shares/${first.id}`, { method: 'DELETE' })).status).toBe(404)
    expect((await fetch(first.url)).status).toBe(404)
    expect((await fetch(second.url)).status).toBe(200)
  })

  it('stops working when it expires, says so, and is listed as expired', async () => {
    const ann = await newOwner()
    const { url, id } = await share(ann, 'a file.txt', 1)
    expect(await listed(ann, id)).toMatchObject({ state: 'live' })
    await eventually('the link expires', async () => (await fetch(url)).status === 410)
    expect(await (await fetch(url)).json()).toMatchObject({ code: 'share-expired' })
    expect(await listed(ann, id)).toMatchObject({ state: 'expired' })
  })

  it('expires at a date', async () => {
    const ann = await newOwner()
    const at = (ms: number) => new Date(Date.now() + ms).toISOString()
    const create = async (terms: object) => (await ann.post('/shares', { filename: 'a file.txt', ...terms })).json
    const expiresAt = at(40 * 86_400_000)
    expect(await create({ expiresAt })).toMatchObject({ expiresAt })
    const inBerlin = '2999-01-01T12:00:00+02:00'
    for (const wrong of [at(-1000), at(367 * 86_400_000), inBerlin, 'tomorrow', '2026-12-31']) {
      expect(await create({ expiresAt: wrong }), wrong).toMatchObject({ status: 400, field: 'expiresAt' })
    }
    for (const wrong of [{}, { expiresAt, expiresIn: 60 }]) {
      expect(await create(wrong)).toMatchObject({ status: 400, message: expect.stringContaining('expiresAt') })
    }
  })

  it('has a note', async () => {
    const ann = await newOwner()
    const { id } = await share(ann, 'a file.txt', 60, { note: 'For “you”' })
    expect(await listed(ann, id)).toMatchObject({ note: 'For “you”', hasPassword: false, maxDownloads: null })
    const long = { filename: 'a file.txt', expiresIn: 60, note: 'x'.repeat(501) }
    expect(await ann.post('/shares', long)).toMatchObject({ status: 400, json: { field: 'note' } })
  })

  it('requires an existing file and a permitted duration', async () => {
    const ann = await newOwner()
    const refused = async (body: object) => (await ann.post('/shares', body)).json
    expect(await refused({ filename: 'missing', expiresIn: 60 })).toMatchObject({ code: 'file-not-found', status: 404 })
    expect(await refused({ filename: '../x', expiresIn: 60 })).toMatchObject({ code: 'invalid-request' })
    for (const expiresIn of [0, -1, 1.5, 366 * 86_400 + 1, '60']) {
      expect(await refused({ filename: 'a file.txt', expiresIn })).toMatchObject({ status: 400, field: 'expiresIn' })
    }
    const client = await shared.newCaller('client')
    expect((await client.post('/shares', { filename: 'a', expiresIn: 60 })).status).toBe(403)
  })

  it('rejects a guessed or altered token', async () => {
    const ann = await newOwner()
    const { url } = await share(ann)
    const altered = url.slice(0, -1) + (url.endsWith('A') ? 'B' : 'A')
    for (const wrong of [altered, url.slice(0, -1), `${url}A`, `${ann.url}/s/x`, `${ann.url}/s/${'A'.repeat(44)}`]) {
      const answer = await fetch(wrong)
      expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'share-not-found' }])
    }
  })

  it('stores no secret', async () => {
    const ann = await newOwner()
    const { url, id } = await share(ann)
    const stored = await storedShares(shared.server.dataFolder)
    expect(stored).toContain(id)
    expect(stored).not.toContain(url.slice(url.lastIndexOf('/') + 1 + id.length))
  })

  it('serves the current file with the name, and answers 404 if there is none', async () => {
    const ann = await newOwner()
    const { url } = await share(ann)
    await ann.put('a%20file.txt', 'newer')
    expect(await (await fetch(url)).text()).toBe('newer')
    await ann.call('/files/a%20file.txt', { method: 'DELETE' })
    const answer = await fetch(url)
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'file-not-found' }])
  })
})

it('an account has at most a thousand links that work', async () => {
  const ann = await shared.newCaller()
  await ann.put('f', 'x')
  const create = () => ann.post('/shares', { filename: 'f', expiresIn: 600 })
  const over = await Promise.all(Array.from({ length: 20 }, () => share(ann, 'f', 1)))
  await eventually('they expire', async () => (await fetch(over.at(-1)!.url)).status === 410)
  for (let made = 0; made < 1000; made += 50) await Promise.all(Array.from({ length: 50 }, create))
  expect(await create()).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
  const [one] = (await ann.call('/shares')).json.shares
  expect((await ann.call(`/shares/${one.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await create()).status).toBe(201)
  // Those that have ended make room.
  expect((await ann.call('/shares')).json.shares).toHaveLength(1000)
})

describe('a download of a share', () => {
  const big = Buffer.alloc(24 * 1024 ** 2, 'x')

  it('is a job that the owner sees and can stop, and that does not use the owner’s slot', async () => {
    const ann = await shared.newCaller()
    await ann.put('big', big)
    const { id, url } = await share(ann, 'big')
    const download = await holdDownload(url)
    const job = await ann.findJob('kind=export&state=running')
    expect(job).toMatchObject({ account: `share:${id}`, file: 'big', totalBytes: big.length })
    expect((await ann.call('/files/big', { headers: { Range: 'bytes=0-9' } })).status).toBe(206)
    expect(await ann.post(`/jobs/${job.id}/stop`)).toMatchObject({ status: 200, json: { job: { state: 'stopped' } } })
    await download.breaks()
    const bob = await shared.newCaller()
    expect((await bob.call(`/jobs/${job.id}`)).status).toBe(404)
  })

  it('has twelve slots for each address; further ones get a retry delay, and no details of the others', async () => {
    const ann = await shared.newCaller()
    await ann.put('big', big)
    const { url } = await share(ann, 'big')
    const downloads = []
    for (let index = 0; index < 12; index += 1) downloads.push(await holdDownload(url))
    const refused = await fetch(url)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await refused.text()).not.toMatch(/"job"|user:/)
    for (const { request } of downloads) request.destroy()
    await eventually(
      'a place is free',
      async () => (await fetch(url, { headers: { Range: 'bytes=0-0' } })).status === 206,
    )
  })

  it('ends when the link is revoked', async () => {
    const ann = await shared.newCaller()
    await ann.put('big', big)
    const { id, url } = await share(ann, 'big')
    const download = await holdDownload(url)
    expect((await ann.call(`/shares/${id}`, { method: 'DELETE' })).status).toBe(204)
    await download.breaks()
    expect(await ann.findJob('kind=export')).toMatchObject({ state: 'stopped', account: `share:${id}` })
  })

  it('ends with the account, as does the link', async () => {
    const ann = await newOwner()
    const admin = await shared.admin()
    const { url } = await share(ann)
    const { account } = (await ann.call('/auth/me')).json
    await admin.call(`/accounts/${account}`, { method: 'PATCH', body: { disabled: true } })
    expect((await fetch(url)).status).toBe(404)
    expect((await admin.call(`/accounts/${account}`, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(url)).status).toBe(404)
    expect(await storedShares(shared.server.dataFolder)).not.toContain(new URL(url).pathname.slice(3, 15))
  })
})

describe('the URL of a share', () => {
  const behindProxy = shareServer({ publicUrl: 'https://files.example.org' })

  it('is the public one if configured', async () => {
    const ann = await behindProxy.newCaller()
    await ann.put('a', 'text')
    const { json } = await ann.post('/shares', { filename: 'a', expiresIn: 60 })
    expect(json.url).toMatch(/^https:\/\/files\.example\.org\/s\//)
    const request = ann.open(new URL(json.url).pathname, { headers: { Host: 'files.example.org' } })
    request.end()
    expect((await answerOf(request)).status).toBe(200)
  })
})

describe('a share of a folder', () => {
  async function sharedFolder() {
    const ann = await shared.newCaller()
    for (const name of ['top/in/a%20b.txt', 'top/in/sub/<c>', 'top/secret']) await ann.put(name, name)
    return { ann, ...(await share(ann, 'top/in/')) }
  }

  it('lists the folder and those in it, and serves each file, by names relative to it', async () => {
    const { url } = await sharedFolder()
    const list = async (path: string) => (await fetch(url + path)).json()
    expect(await list('')).toMatchObject({ folders: [{ name: 'sub/' }], files: [{ name: 'a b.txt' }], next: null })
    expect(await list('/')).toMatchObject({ files: [{ name: 'a b.txt' }] })
    expect(await list('/sub/')).toMatchObject({ folders: [], files: [{ name: 'sub/<c>' }] })
    expect(await (await fetch(`${url}/sub/%3Cc%3E`)).text()).toBe('top/in/sub/<c>')
    const part = await fetch(`${url}/a%20b.txt`, { headers: { Range: 'bytes=0-2' } })
    expect([part.status, await part.text()]).toEqual([206, 'top'])
  })

  it('is a page for browsers, whose links lead to its files', async () => {
    const { url } = await sharedFolder()
    const answer = await fetch(`${url}/sub/`, { headers: { Accept: 'text/html,*/*' } })
    const page = await answer.text()
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page).toContain('<h1>in/sub/</h1>')
    const [, link = '', label] = /<a href="([^"]+)">([^<]*)<\/a>/.exec(page) ?? []
    expect(label).toBe('&lt;c&gt;')
    expect(await (await fetch(new URL(link, url))).text()).toBe('top/in/sub/<c>')
  })

  it('gives nothing beside the folder, and nothing once it is gone', async () => {
    const { ann, url, id } = await sharedFolder()
    for (const path of ['/none', '/none/', '/sub', '/a%20b.txt/', '/%2E%2E/secret', '/..%2Fsecret', '//secret']) {
      const { status } = await ann.call(new URL(url).pathname + path)
      expect([400, 404], path).toContain(status)
    }
    expect((await (await fetch(`${url}?prefix=top/`)).json()).files).toMatchObject([{ name: 'a b.txt' }])
    const file = await share(ann, 'top/secret')
    await ann.put('top/secret2', 'another file')
    for (const path of ['/x', '/2', '/2/']) expect((await fetch(file.url + path)).status, path).toBe(404)
    await ann.call('/files/top/in/', { method: 'DELETE' })
    expect((await fetch(url)).status).toBe(404)
    const { json } = await ann.call('/shares')
    expect(json.shares.find((each: { id: string }) => each.id === id)).toMatchObject({ available: false })
    expect((await ann.post('/shares', { filename: 'top/in/', expiresIn: 60 })).status).toBe(404)
  })
})

describe('the password of a share', () => {
  const password = 'the päss:word'

  async function guarded() {
    const ann = await newOwner()
    return { ann, ...(await share(ann, 'a file.txt', 60, { password })) }
  }

  function basic(password: string, user = '') {
    return { headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` } }
  }

  it('is asked for, and taken as that of HTTP Basic with any username', async () => {
    const { ann, url, id } = await guarded()
    const without = await fetch(url)
    expect([without.status, await without.json()]).toMatchObject([401, { code: 'password-required' }])
    expect(without.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
    for (const wrong of [basic('another one'), basic(''), basic(password, 'x:')]) {
      const answer = await fetch(url, wrong)
      expect([answer.status, await answer.json()]).toMatchObject([401, { code: 'wrong-password' }])
    }
    for (const malformed of ['Basic', 'Basic !', `Basic ${btoa('none')}`, `Bearer ${ann.token}`]) {
      const answer = await fetch(url, { headers: { Authorization: malformed } })
      expect((await answer.json()).code, malformed).toBe('password-required')
    }
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(401)
    for (const user of ['', 'link']) expect(await (await fetch(url, basic(password, user))).text()).toBe('some text')
    expect((await fetch(url, { method: 'HEAD', ...basic(password) })).status).toBe(200)
    await eventually('both are counted', async () => (await listed(ann, id))?.downloads === 2)
    expect(await listed(ann, id)).toMatchObject({ hasPassword: true })
    expect(JSON.stringify(await listed(ann, id))).not.toContain('$2')
  })

  it('is stored as a bcrypt hash', async () => {
    await guarded()
    const stored = await storedShares(shared.server.dataFolder)
    expect(stored).toMatch(/\$2[aby]\$/)
    expect(stored).not.toContain(password)
  })

  it('has 8 to 72 bytes', async () => {
    const ann = await newOwner()
    for (const wrong of ['short', 'ä'.repeat(37)]) {
      const answer = await ann.post('/shares', { filename: 'a file.txt', expiresIn: 60, password: wrong })
      expect(answer).toMatchObject({ status: 400, json: { field: 'password' } })
    }
  })

  it('is asked for everything below a shared folder', async () => {
    const ann = await shared.newCaller()
    await ann.put('top/file', 'text')
    const { url } = await share(ann, 'top/', 60, { password })
    for (const path of ['', '/', '/file', '/missing']) {
      expect((await fetch(url + path)).status, path).toBe(401)
      expect((await fetch(url + path, basic(password))).status, path).toBe(path === '/missing' ? 404 : 200)
    }
  })

  it('is slow to guess, and a right one is not', async () => {
    const { url } = await guarded()
    expect((await fetch(url, basic(password))).status).toBe(200)
    // Later ones are delayed by more and more; those that would wait for too long are refused.
    const guesses = Array.from({ length: 150 }, (_, index) => fetch(url, basic(`guess ${index}`)))
    const statuses = new Set((await Promise.all(guesses)).map(({ status }) => status))
    expect([...statuses].sort()).toEqual([401, 429])
    expect((await fetch(url, basic(password))).status).toBe(200)
  })
})

describe('the downloads of a share', () => {
  const big = Buffer.alloc(24 * 1024 ** 2, 'x')

  async function limited(maxDownloads: number, content: string | Buffer = 'some text') {
    const ann = await shared.newCaller()
    await ann.put('file', content)
    return { ann, ...(await share(ann, 'file', 60, { maxDownloads })) }
  }

  async function exhausted(url: string) {
    await eventually('the link is exhausted', async () => (await fetch(url, { method: 'HEAD' })).status === 410)
    expect(await (await fetch(url)).json()).toMatchObject({ code: 'share-exhausted', status: 410 })
  }

  it('are those that send the last byte, and it gives no more than it allows', async () => {
    const { ann, url, id } = await limited(2)
    const range = (of: string) => fetch(url, { headers: { Range: `bytes=${of}` } }).then((answer) => answer.text())
    expect(await range('0-3')).toBe('some')
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
    const { headers } = await fetch(url, { method: 'HEAD' })
    expect((await fetch(url, { headers: { 'If-None-Match': headers.get('etag')! } })).status).toBe(304)
    expect(await listed(ann, id)).toMatchObject({ downloads: 0, state: 'live', maxDownloads: 2 })
    expect(await range('5-')).toBe('text')
    await eventually('one is counted', async () => (await listed(ann, id))?.downloads === 1)
    expect(await (await fetch(url)).text()).toBe('some text')
    await exhausted(url)
    expect((await fetch(url, { headers: { Range: 'bytes=0-3' } })).status).toBe(410)
    expect(await listed(ann, id)).toMatchObject({ downloads: 2, state: 'exhausted' })
  })

  it('that are under way keep others waiting, and are given back when they break', async () => {
    const { ann, url, id } = await limited(1, big)
    const download = await holdDownload(url)
    const refused = await fetch(url)
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'busy' }])
    expect(refused.headers.get('retry-after')).toBe('30')
    download.request.destroy()
    const whole = await eventually('the download is given back', async () => {
      const answer = await fetch(url)
      return answer.status === 200 && answer
    })
    expect((await whole.arrayBuffer()).byteLength).toBe(big.length)
    await exhausted(url)
    expect(await listed(ann, id)).toMatchObject({ downloads: 1 })
  })

  it('that the owner stops are given back', async () => {
    const { ann, url, id } = await limited(1, big)
    const download = await holdDownload(url)
    const job = await ann.findJob('kind=export&state=running')
    expect(await ann.post(`/jobs/${job.id}/stop`)).toMatchObject({ status: 200, json: { job: { state: 'stopped' } } })
    await download.breaks()
    const whole = await eventually('the link works', async () => {
      const answer = await fetch(url)
      return answer.status === 200 && answer
    })
    expect((await whole.arrayBuffer()).byteLength).toBe(big.length)
    await eventually('it is counted', async () => (await listed(ann, id))?.downloads === 1)
  })

  it('are counted of a share without a limit, too, and of each file of a folder', async () => {
    const ann = await shared.newCaller()
    for (const name of ['top/a', 'top/b', 'top/empty']) await ann.put(name, name === 'top/empty' ? '' : name)
    const { url, id } = await share(ann, 'top/')
    for (const name of ['a', 'b', 'empty']) await (await fetch(`${url}/${name}`)).text()
    await eventually('they are counted', async () => (await listed(ann, id))?.downloads === 3)
    for (const path of ['', '/']) await (await fetch(url + path)).text()
    await fetch(url, { method: 'HEAD' })
    await eventually('its lists are counted', async () => (await listed(ann, id))?.opened === 2)
  })
})
