import http from 'node:http'
import { describe, expect, it } from 'vitest'
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

async function share(owner: Caller, filename = 'a file.txt', expiresIn = 60) {
  const { status, json } = await owner.post('/shares', { filename, expiresIn })
  expect(status).toBe(201)
  return json as { id: string; url: string; filename: string; expiresAt: string }
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

  it('stops working when it expires', async () => {
    const ann = await newOwner()
    const { url } = await share(ann, 'a file.txt', 1)
    await eventually('the link expires', async () => (await fetch(url)).status === 404)
    expect((await ann.call('/shares')).json.shares).toEqual([])
  })

  it('requires an existing file and a permitted duration', async () => {
    const ann = await newOwner()
    const refused = async (body: object) => (await ann.post('/shares', body)).json
    expect(await refused({ filename: 'missing', expiresIn: 60 })).toMatchObject({ code: 'file-not-found', status: 404 })
    expect(await refused({ filename: '../x', expiresIn: 60 })).toMatchObject({ code: 'invalid-request' })
    for (const expiresIn of [0, -1, 1.5, 30 * 86_400 + 1, '60']) {
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

it('an account has at most a thousand links', async () => {
  const ann = await shared.newCaller()
  await ann.put('f', 'x')
  const create = () => ann.post('/shares', { filename: 'f', expiresIn: 600 })
  for (let made = 0; made < 1000; made += 50) await Promise.all(Array.from({ length: 50 }, create))
  expect(await create()).toMatchObject({ status: 413, json: { code: 'quota-exceeded' } })
  const [one] = (await ann.call('/shares')).json.shares
  expect((await ann.call(`/shares/${one.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await create()).status).toBe(201)
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
