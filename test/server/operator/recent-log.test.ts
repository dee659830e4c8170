import { describe, expect, it } from 'vitest'
import type { Log } from '../../../dist/server/log.js'
import { RecentLog } from '../../../dist/server/operator/recent-log.js'
import { eventually } from '../../helpers/eventually.js'
import { TestClock } from '../../helpers/test-clock.js'

const silent: Log = { info() {}, audit() {}, warn() {}, error() {} }

function open(maxLines = 3) {
  const recent = new RecentLog({ clock: new TestClock(0), maxLines })
  return { recent, log: recent.keeping(silent), messages: () => recent.lines(100).map(({ message }) => message) }
}

describe('the last lines of the log', () => {
  it('are bounded in number and length', () => {
    const { log, messages, recent } = open()
    for (const n of [1, 2, 3, 4, 5]) log.info(`line ${n}`)
    expect(messages()).toEqual(['line 3', 'line 4', 'line 5'])
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name-${n}`, n]))
    log.info('x'.repeat(5000), { path: 'y'.repeat(5000), ...many })
    const [line] = recent.lines(1)
    expect(line!.message).toHaveLength(1000)
    expect(line!.details.path).toHaveLength(1000)
    expect(JSON.stringify(line).length).toBeLessThan(4000)
  })

  it('have time, level and details, and of errors the messages', () => {
    const { log, recent } = open()
    log.info('GET /files 200', { ms: 3 })
    log.warn('It is late', 'in words')
    log.error('It broke', new Error('outside', { cause: new Error('inside') }))
    const at = new Date(0).toISOString()
    expect(recent.lines(100)).toMatchObject([
      { at, level: 'info', message: 'GET /files 200', details: { ms: 3 } },
      { at, level: 'warn', message: 'It is late', details: { error: 'in words' } },
      { at, level: 'error', message: 'It broke', details: { error: 'outside (inside)' } },
    ])
  })

  it('reach the log they were written to, and never have a secret', () => {
    const written: string[] = []
    const recent = new RecentLog({ clock: new TestClock(0) })
    const log = recent.keeping({ ...silent, info: (message) => written.push(message) })
    log.info('careless', { token: 'eyJhbGciOi', password: 'correct horse', cookie: 'filejobs=1', status: 200 })
    expect(written).toEqual(['careless'])
    expect(recent.lines(1)[0]!.details).toEqual({ status: 200 })
  })
})

describe('a listener to the log', () => {
  const listening = { after: undefined, limit: 2, onNews() {}, onEnd() {} }

  it('gets the last lines, then each new one, once', async () => {
    const { log, recent } = open()
    for (const n of [1, 2, 3]) log.info(`line ${n}`)
    let news = 0
    const reader = recent.listen({ ...listening, onNews: () => news++ })
    expect(messagesOf(reader.read())).toEqual(['line 2', 'line 3'])
    expect(reader.read()).toBeNull()
    log.info('line 4')
    await eventually('the listener is called', () => news > 0)
    expect(messagesOf(reader.read())).toEqual(['line 4'])
    expect(reader.read()).toBeNull()
  })

  it('resumes after the last line that it received', () => {
    const { log, recent } = open()
    for (const n of [1, 2, 3]) log.info(`line ${n}`)
    const [, second] = recent.lines(3)
    expect(messagesOf(recent.listen({ ...listening, after: second!.id }).read())).toEqual(['line 3'])
    const ofAnotherRun = recent.listen({ ...listening, after: '0123456789ab-7' })
    expect(messagesOf(ofAnotherRun.read())).toEqual(['line 2', 'line 3'])
  })

  it('misses what has left the ring, and goes on with what is there', () => {
    const { log, recent } = open()
    log.info('line 1')
    const reader = recent.listen(listening)
    expect(messagesOf(reader.read())).toEqual(['line 1'])
    for (const n of [2, 3, 4, 5, 6]) log.info(`line ${n}`)
    expect(messagesOf(reader.read())).toEqual(['line 4', 'line 5', 'line 6'])
    expect(reader.read()).toBeNull()
  })

  it('is ended with the server, which admits no other', () => {
    const { recent } = open()
    let ends = 0
    recent.listen({ ...listening, onEnd: () => ends++ })
    recent.listen({ ...listening, onEnd: () => ends++ }).close()
    recent.close()
    expect(ends).toBe(1)
    expect(() => recent.listen(listening)).toThrow('shutting down')
  })
})

function messagesOf(bytes: Buffer | null): string[] {
  return [...String(bytes).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!).message)
}
