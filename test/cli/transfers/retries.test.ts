import { describe, expect, it } from 'vitest'
import { Failure } from '../../../dist/cli/exit-codes.js'
import { Retries } from '../../../dist/cli/transfers/retries.js'
import type { TransferTools } from '../../../dist/cli/transfers/tools.js'
import { Problem } from '../../../dist/protocol/problems.js'

const broken = () => Object.assign(new Error('cut'), { code: 'ECONNRESET' })
const never = new AbortController().signal

function openTools() {
  const notes: string[] = []
  const progress = { say() {}, begin() {}, advance() {}, end() {} }
  return { notes, tools: { progress, note: (text: string) => notes.push(text) } as unknown as TransferTools }
}

describe('retrying a transfer', () => {
  it('ends with the first success, and reports the failure once', async () => {
    const { notes, tools } = openTools()
    let attempts = 0
    const result = await new Retries(5).run('a.bin', tools, never, async () => {
      attempts += 1
      if (attempts < 3) throw broken()
      return attempts
    })
    expect([result, notes]).toEqual([3, ['a.bin: the connection broke; trying again.']])
  })

  it.each([
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'the server cannot be reached'],
    [new Problem('shutting-down', 'down'), 'the server is shutting down'],
    [new Problem('client-left', 'left'), 'the connection broke'],
    [new Failure('tryAgain', 'No answer.'), 'No answer'],
  ])('reports the actual cause: $message', async (error, words) => {
    const { notes, tools } = openTools()
    const errors = [error]
    await new Retries(5).run('a.bin', tools, never, async () => {
      for (const first of errors.splice(0)) throw first
    })
    expect(notes).toEqual([`a.bin: ${words}; trying again.`])
  })

  it('stops after the maximum number of attempts without progress', async () => {
    let attempts = 0
    const run = new Retries(2).run('a.bin', openTools().tools, never, async () => {
      attempts += 1
      throw broken()
    })
    await expect(run).rejects.toThrow('cut')
    expect(attempts).toBe(3)
  })

  it('resets the count of attempts after progress, and only then', async () => {
    const retries = new Retries(1)
    const reached = [10, 20, 20, 30]
    let attempts = 0
    const run = retries.run('a.bin', openTools().tools, never, async () => {
      retries.reached(reached[attempts]!)
      attempts += 1
      throw broken()
    })
    await expect(run).rejects.toThrow('cut')
    expect(attempts).toBe(3)
  })

  it.each([
    new Problem('job-stopped', 'stopped'),
    new Problem('job-running', 'running'),
    new Problem('quota-exceeded', 'full'),
    new Problem('stalled', 'paused for too long', { maxPauseMs: 1000 }),
    new Failure('unexpected', 'changed'),
    Object.assign(new Error('disk'), { code: 'ENOSPC' }),
  ])('does not happen for permanent errors: $message', async (error) => {
    let attempts = 0
    const run = new Retries(5).run('a.bin', openTools().tools, never, async () => {
      attempts += 1
      throw error
    })
    await expect(run).rejects.toBe(error)
    expect(attempts).toBe(1)
  })

  it('ends at once when the transfer is aborted', async () => {
    const left = new AbortController()
    const reason = new Error('left')
    const run = new Retries(5).run('a.bin', openTools().tools, left.signal, async () => {
      left.abort(reason)
      throw broken()
    })
    await expect(run).rejects.toBe(reason)
  })
})
