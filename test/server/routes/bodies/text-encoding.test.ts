import { expect, it } from 'vitest'
import { Caller } from '../../../helpers/calls.js'
import { shareServer } from '../../../helpers/shared-server.js'

const shared = shareServer()
const json = 'application/json'
const urlEncoded = 'application/x-www-form-urlencoded'

/** Sends the text as Latin-1. */
function post(path: string, type: string, text: string, token = '') {
  const headers = { 'Content-Type': type, ...(token === '' ? { Authorization: '' } : {}) }
  return new Caller(shared.server, token).call(path, { method: 'POST', headers, body: Buffer.from(text, 'latin1') })
}

it.each([
  ['/auth/signup', json, (password: string) => JSON.stringify({ username: 'latin', password })],
  ['/auth/users', json, (password: string) => JSON.stringify({ username: 'lat', email: 'lat@example.org', password })],
  ['/ops/signup', urlEncoded, (password: string) => `username=latin&password=${password}`],
  ['/client/signup', urlEncoded, (password: string) => `username=latin&password=${escapeLatin1(password)}`],
] as const)(
  'a password that is not UTF-8 is rejected by %s as %s, so that no two are treated as equal',
  async (path, type, body) => {
    expect((await post(path, type, body('correct hörse'))).status).toBe(400)
    expect((await post(path, type, Buffer.from(body('correct horse')).toString('latin1'))).status).toBe(201)
  },
)

it('a name or a query that is not UTF-8 is rejected', async () => {
  const ann = await shared.newCaller()
  await ann.put('a', 'x')
  expect((await post('/files/a/move', json, '{"to": "ö"}', ann.token)).status).toBe(400)
  expect((await post('/query', json, '{"sql": "select \'ö\' as a"}', ann.token)).status).toBe(400)
  expect(await ann.names()).toEqual(['a'])
})

it('a url-encoded body is parsed as the URL standard specifies', async () => {
  const fields = new URLSearchParams({ username: 'plus', password: '+a b%&=ü日' })
  expect((await post('/ops/signup', urlEncoded, `&${fields}&&name`)).status).toBe(201)
  expect((await post('/ops/login', urlEncoded, `password=%2Ba+b%25%26%3D%c3%BC日`)).status).not.toBe(200)
  const bare = Buffer.from('username=plus&password=%2ba b%%26=ü日').toString('latin1')
  expect((await post('/ops/login', urlEncoded, bare)).status).toBe(200)
})

function escapeLatin1(text: string): string {
  return text.replace(/[^ -~]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
}
