import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { bindBareWait, parseWait, waitHeaders, waitOption } from '../../dist/cli/wait-option.js'

describe('--wait', () => {
  it('is shown as it is to be written', () => {
    const help = new Command('x').addOption(waitOption()).helpInformation()
    expect(help).toContain('--wait[=seconds]')
    const parse = (...args: string[]) => new Command('x').addOption(waitOption()).parse(args, { from: 'user' }).opts()
    expect([parse(), parse('--wait=5'), parse('--wait')]).toEqual([{}, { wait: '5' }, { wait: true }])
  })

  it('takes no file for its seconds', () => {
    expect(bindBareWait(['upload', '--wait', 'a.csv'])).toEqual(['upload', '--wait=86400', 'a.csv'])
    expect(bindBareWait(['upload', '--wait=5', 'a.csv'])).toEqual(['upload', '--wait=5', 'a.csv'])
  })

  it('is a name behind --', () => {
    expect(bindBareWait(['rm', '--', '--wait'])).toEqual(['rm', '--', '--wait'])
  })

  it('becomes a preference of so many seconds', () => {
    expect(waitHeaders(parseWait(undefined))).toEqual({})
    expect(waitHeaders(parseWait('5'))).toEqual({ prefer: 'wait=5' })
  })

  it.each(['-1', '1.5', 'soon', '86401', ''])('is not %j', (text) => {
    expect(() => parseWait(text)).toThrow(/--wait/)
  })
})
