import { describe, expect, it } from 'vitest'
import { shareServer } from '../../helpers/shared-server.js'

const password = 'correct horse'

describe('a response with a token', () => {
  const shared = shareServer()
  const post = (path: string, body: object, headers = {}) =>
    fetch(shared.server.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  it.each(['/auth/signup', '/auth/login', '/auth/tokens', '/signin', '/auth/signin', '/token/', '/auth/cookie'])(
    'is not cacheable: POST %s',
    async (path) => {
      await shared.server.logIn('cached')
      const { origin } = new URL(shared.server.url)
      const answer = await post(path, { username: 'cached', password }, { 'Filejobs-Csrf': '1', Origin: origin })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('no-store')
    },
  )

  it('is not cacheable if it has the next token', async () => {
    await shared.server.logIn('refreshed')
    const credentials = { username: 'refreshed', password }
    const pair = await (await post('/auth/tokens', credentials)).json()
    const fixed = await (await post('/token/', credentials)).json()
    for (const answer of [
      await post('/auth/tokens/refresh', { refresh: pair.refresh }),
      await post('/token/refresh/', { refresh: fixed.refresh }),
    ]) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('is not cacheable if it has links', async () => {
    const caller = await shared.newCaller()
    await caller.put('a.txt', 'a')
    const made = await caller.post('/shares', { filename: 'a.txt', expiresIn: 3600 })
    expect(made).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } })
    expect((await caller.call('/shares')).headers['cache-control']).toBe('no-store')
  })

  it('differs from files and rows, which their owner may cache with revalidation', async () => {
    const caller = await shared.newCaller()
    await caller.put('a.txt', 'a')
    expect((await caller.call('/files/a.txt')).headers['cache-control']).toBe('private, no-cache')
    expect((await caller.call('/files')).headers['cache-control']).toBe('private, no-cache')
  })
})

describe('a plain-text response that is a token', () => {
  const shared = shareServer()
  it.each(['ops', 'client'])('is not cacheable: /%s/login', async (role) => {
    const body = new URLSearchParams({ username: 'plain', password })
    expect((await fetch(`${shared.server.url}/${role}/signup`, { method: 'POST', body })).status).toBe(201)
    const answer = await fetch(`${shared.server.url}/${role}/login`, { method: 'POST', body })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })
})
