import { describe, expect, test } from 'vitest'
import { openLog } from '../../dist/server/log.js'

function collect(isTTY: boolean) {
  const lines: string[] = []
  return { lines, log: openLog({ isTTY, write: (text) => lines.push(text) }) }
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
