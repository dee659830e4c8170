import { expect, test } from 'vitest'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer()

async function publish(username: string, ...names: string[]) {
  const ops = { Authorization: `Bearer ${await shared.server.logIn(username, 'ops')}` }
  for (const name of names) {
    const init = { method: 'PUT', headers: ops, body: `this is ${name}` }
    expect((await fetch(`${shared.server.url}/files/${name}`, init)).status).toBe(201)
  }
  return shared.newCaller('client')
}

test('lists the ops accounts that are not disabled, for clients', async () => {
  const client = await publish('lister-b')
  await publish('lister-a')
  await publish('lister-gone')
  const admin = await shared.admin()
  await admin.call('/accounts/ops:lister-gone', { method: 'PATCH', body: { disabled: true } })
  const { publishers } = (await client.call('/published')).json as { publishers: { username: string }[] }
  const listed = publishers.map(({ username }) => username).filter((name) => name.startsWith('lister'))
  expect(listed).toEqual(['lister-a', 'lister-b'])
  expect(publishers[0]).toEqual({ username: expect.any(String), name: null })
  expect((await client.call('/published/')).json).toEqual({ publishers })
})

test('lists files page by page', async () => {
  const client = await publish('pages', 'a.txt', 'b/c.txt', 'd.txt')
  const first = (await client.call('/published/pages?limit=2')).json
  expect(first.files.map(({ name }: { name: string }) => name)).toEqual(['a.txt', 'b/c.txt'])
  expect(first.files[0]).toMatchObject({ size: 13, sha256: expect.any(String) })
  const second = (await client.call(`/published/pages/?limit=2&cursor=${first.next}`)).json
  expect(second).toMatchObject({ files: [{ name: 'd.txt' }], next: null })
  expect((await client.call('/published/pages?prefix=b/')).json.files).toHaveLength(1)
  // Usernames compare regardless of case.
  expect((await client.call('/published/PAGES')).status).toBe(200)
})

test('lists one level of the folders, or all files as lines, as GET /files does', async () => {
  const client = await publish('levels', 'a.txt', 'b/c.txt', 'b/d/e.txt', 'f/g.txt')
  const level = (await client.call('/published/levels?delimiter=%2F&prefix=b/&sort=size')).json
  expect(level).toMatchObject({
    folders: [{ name: 'b/d/' }],
    files: [{ name: 'b/c.txt', size: 15 }],
    totals: { folders: 1, files: 1 },
    next: null,
  })
  expect((await client.call('/published/levels?delimiter=-')).json).toMatchObject({ code: 'invalid-request' })
  const lines = await client.call('/published/levels?prefix=b/', { headers: { Accept: 'application/x-ndjson' } })
  const names = lines.body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).name)
  expect(names).toEqual(['b/c.txt', 'b/d/e.txt'])
})

test('sends a file as GET /files does, whole or a range, with its headers', async () => {
  const client = await publish('sender', 'b/c.txt')
  const whole = await client.call('/published/sender/b/c.txt')
  expect([whole.status, whole.body.toString()]).toEqual([200, 'this is b/c.txt'])
  expect(whole.headers).toMatchObject({
    'content-disposition': expect.stringMatching(/^attachment; filename="c.txt"/),
    'repr-digest': expect.stringMatching(/^sha-256=/),
    'filejobs-job': expect.any(String),
  })
  const range = await client.call('/published/sender/b/c.txt', { headers: { Range: 'bytes=8-' } })
  expect([range.status, range.body.toString()]).toEqual([206, 'b/c.txt'])
  const head = await client.call('/published/sender/b/c.txt', { method: 'HEAD' })
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '15', 0])
  const same = await client.call('/published/sender/b/c.txt', { headers: { 'If-None-Match': whole.headers.etag } })
  expect(same.status).toBe(304)
})

test('returns nothing of other roles, unknown accounts, and disabled accounts', async () => {
  const client = await publish('vanishing', 'a.txt')
  await shared.server.logIn('private')
  expect((await client.call('/published/private')).json).toMatchObject({ code: 'account-not-found' })
  expect((await client.call('/published/nobody/a.txt')).json).toMatchObject({ code: 'account-not-found' })
  expect((await client.call('/published/vanishing/b.txt')).json).toMatchObject({ code: 'file-not-found' })
  const admin = await shared.admin()
  await admin.call('/accounts/ops:vanishing', { method: 'PATCH', body: { disabled: true } })
  expect((await client.call('/published/vanishing')).status).toBe(404)
  expect((await client.call('/published/vanishing/a.txt')).status).toBe(404)
})

test.each([
  '/published/strict/../strict/a.txt',
  '/published/strict/%2e%2e/strict',
  '/published/strict/a.txt/',
  '/published/strict//a.txt',
  '/published/strict/a%00',
  '/published/strict/%ff',
])('rejects %s', async (path) => {
  await shared.server.logIn('strict', 'ops')
  const client = await shared.newCaller('client')
  expect((await client.call(path)).json).toMatchObject({ status: 400, code: 'invalid-request' })
})
