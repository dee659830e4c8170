import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectTo } from '../../helpers/raw-connection.js'
import { startTestServer, type TestServer } from '../../helpers/server.js'

describe('the request log', () => {
  let server: TestServer
  let token: string
  const lineOf = (message: string) =>
    expect.poll(() => server.logged.find((line) => line.message === message)?.details, { message })

  beforeAll(async () => {
    server = await startTestServer()
    token = await server.logIn('ann')
  })
  afterAll(() => server.close())

  test('has a line for a request and one for its job, with the account', async () => {
    const headers = { Authorization: `Bearer ${token}` }
    await fetch(`${server.url}/files/a%20b.txt`, { method: 'PUT', headers, body: 'the content' })
    await lineOf('PUT /files/a%20b.txt 201').toMatchObject({ account: 'user:ann', address: '127.0.0.1', status: 201 })
    await lineOf('upload of "a b.txt" done').toMatchObject({ kind: 'upload', bytes: 11, account: 'user:ann' })
  })

  test('has the status of an error, and no account without a login', async () => {
    await fetch(`${server.url}/jobs`, { headers: { Authorization: 'Bearer wrong' } })
    await lineOf('GET /jobs 401').toMatchObject({ account: null })
  })

  test('has the account whose role was refused', async () => {
    await fetch(`${server.url}/accounts`, { headers: { Authorization: `Bearer ${token}` } })
    await lineOf('GET /accounts 403').toMatchObject({ account: 'user:ann' })
  })

  test('never contains a query string, a secret of a link, a token, a password or content', async () => {
    await fetch(`${server.url}/s/a-very-secret-token`)
    await fetch(`${server.url}/files?prefix=a-very-secret-prefix`, { headers: { Authorization: `Bearer ${token}` } })
    await lineOf('GET /s/… 404').toBeDefined()
    const strange = ['/%73/', '//s//', '/S/', '/s%2f', '/x/../s/', '/x/%2e%2e/%53/', `${server.url}/s/`]
    for (const begin of strange) {
      const connection = await connectTo(server.url)
      connection.send(`GET ${begin}a-very-secret-token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      await connection.ended()
    }
    await expect.poll(() => server.logged.filter(({ details }) => details?.path === '/s/…').length).toBe(8)
    await fetch(`${server.url}/%69nvitations/a-very-secret-token`)
    await lineOf('GET /invitations/… 404').toBeDefined()
    await lineOf('GET /files 200').toBeDefined()
    const everything = JSON.stringify(server.logged)
    for (const secret of [token, 'a-very-secret', 'correct horse', 'the content'])
      expect(everything).not.toContain(secret)
  })
})
