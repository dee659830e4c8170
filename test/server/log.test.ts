import { describe, expect, test } from 'vitest'
import { type LogOptions, openLog } from '../../dist/server/log.js'

function collect(isTTY: boolean, options: LogOptions = {}) {
  const lines: string[] = []
  return { lines, log: openLog({ isTTY, write: (text) => lines.push(text) }, options) }
}

describe('the log', () => {
  test('is one line of JSON a message if it is not a terminal', () => {
    const { lines, log } = collect(false)
    log.info('GET /files 200', { status: 200, ms: 3 })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]+\n$/)
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', message: 'GET /files 200', status: 200, ms: 3 })
  })

  test('is text on a terminal, with control characters quoted', () => {
    const { lines, log } = collect(true)
    log.info('upload of "a" done', { kind: 'upload', account: 'user:ann', table: null, note: '\u001b[2J' })
    expect(lines).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d upload of "a" done account=user:ann note="\\u001b\[2J"\n$/),
    ])
  })

  test.each([
    ['info', ['info', 'info', 'warn', 'error']],
    ['warn', ['info', 'warn', 'error']],
    ['error', ['info', 'error']],
  ] as const)('at the level %s has lines of %j: audit lines are in it at every level', (level, expected) => {
    const { lines, log } = collect(false, { level })
    log.audit('login', { account: 'user:ann', address: '127.0.0.1', outcome: 'done' })
    log.info('GET /files 200')
    log.warn('It is lost', 'no room')
    log.error('It broke', new Error('no room'))
    const parsed = lines.map((line) => JSON.parse(line))
    expect(parsed.map((line) => line.level)).toEqual(expected)
    expect(parsed[0]).toMatchObject({ audit: true, event: 'login', account: 'user:ann', message: 'audit: login done' })
  })

  test('has the form that was chosen, with the date where no terminal shows it', () => {
    const [text, json] = [collect(false, { format: 'text' }), collect(true, { format: 'json' })]
    for (const { log } of [text, json]) log.audit('login', { account: 'user:ann', address: '::1', outcome: 'refused' })
    expect(text.lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z audit: login refused account=user:ann address=::1\n$/)
    expect(JSON.parse(json.lines[0]!)).toMatchObject({ event: 'login', outcome: 'refused' })
  })

  test('includes the stack of an error', () => {
    const { lines, log } = collect(false)
    log.error('It broke', new Error('no room'))
    const line = JSON.parse(lines[0]!)
    expect(line).toMatchObject({ level: 'error', message: 'It broke', error: { message: 'no room' } })
    expect(line.error.stack).toContain('log.test.ts')
    const terminal = collect(true)
    terminal.log.error('It broke', new Error('no room'))
    expect(terminal.lines[0]).toMatch(/ERROR It broke\nError: no room\n +at /)
  })

  test('never contains a token or a password', () => {
    const { lines, log } = collect(false)
    log.info('careless', { token: 'eyJhbGciOi', password: 'correct horse' })
    expect(lines[0]).not.toMatch(/eyJ|horse/)
  })
})
