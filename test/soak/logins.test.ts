import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { startServe } from '../helpers/serve.js'

const password = 'correct horse'

describe('at the default cost of a password check', () => {
  it('a login takes at most 3 s beside 60 loops of another account', async () => {
    const { logIn, signUp } = await open()
    for (const username of ['victim', 'greedy']) expect(await signUp(username)).toBe(201)
    let isOver = false
    let logins = 0
    const loops = Array.from({ length: 60 }, async () => {
      while (!isOver) if ((await logIn('greedy', password)) === 200) logins++
    })
    onTestFinished(async () => {
      isOver = true
      await Promise.all(loops)
    })
    await eventually('the loops are under way', () => logins >= 5)
    for (let round = 0; round < 5; round++) {
      const start = performance.now()
      expect(await logIn('victim', password)).toBe(200)
      expect(performance.now() - start).toBeLessThan(3000)
    }
  })

  it('a correct password is accepted within 15 s after a hundred wrong ones from the same address', async () => {
    const { logIn, signUp } = await open()
    expect(await signUp('victim')).toBe(201)
    let wrong = 0
    while (wrong < 100) if ((await logIn('victim', 'wrong horse')) === 401) wrong++
    const start = performance.now()
    expect(await logIn('victim', password)).toBe(200)
    expect(performance.now() - start).toBeLessThan(15_000)
  })

  it('a correct password is accepted within 15 s after a hundred wrong ones from as many addresses', async () => {
    const { logIn, signUp } = await open(['--trust-proxy', '1'])
    expect(await signUp('victim')).toBe(201)
    await Promise.all(Array.from({ length: 100 }, (_, i) => logIn('victim', 'wrong horse', `192.0.2.${i}`)))
    const start = performance.now()
    expect(await logIn('victim', password, '198.51.100.1')).toBe(200)
    expect(performance.now() - start).toBeLessThan(15_000)
  })
})

async function open(args: string[] = []) {
  const { url } = await startServe({ args: ['--bcrypt-cost', '12', ...args] })
  const send = async (path: string, username: string, word: string, address?: string) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(address ? { 'X-Forwarded-For': address } : {}) },
      body: JSON.stringify({ username, password: word }),
    })
    await answer.arrayBuffer()
    return answer.status
  }
  return {
    logIn: (username: string, word: string, address?: string) => send('/auth/login', username, word, address),
    signUp: (username: string) => send('/auth/signup', username, password),
  }
}
