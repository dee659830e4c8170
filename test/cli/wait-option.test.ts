import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addWaitOptions, bindBareWait, parseWait, waitOption } from '../../dist/cli/wait-option.js'
import { waitHeaders } from '../../dist/client/transfer-options.js'

describe('--wait', () => {
  it('is shown in help as it must be written', () => {
    const help = new Command('x').addOption(waitOption()).helpInformation()
    expect(help).toContain('--wait[=seconds]')
    const parse = (...args: string[]) => new Command('x').addOption(waitOption()).parse(args, { from: 'user' }).opts()
    expect([parse(), parse('--wait=5'), parse('--wait')]).toEqual([{}, { wait: '5' }, { wait: true }])
  })

  it('does not take a file name for its seconds', () => {
    expect(bindBareWait(['upload', '--wait', 'a.csv'])).toEqual(['upload', '--wait=86400', 'a.csv'])
    expect(bindBareWait(['upload', '--wait=5', 'a.csv'])).toEqual(['upload', '--wait=5', 'a.csv'])
  })

  it('is a file name after --', () => {
    expect(bindBareWait(['rm', '--', '--wait'])).toEqual(['rm', '--', '--wait'])
  })

  it('becomes a Prefer header with that number of seconds', () => {
    expect(waitHeaders(parseWait(undefined, {}))).toEqual({})
    expect(waitHeaders(parseWait('5', {}))).toEqual({ prefer: 'wait=5' })
  })

  it('is the default on a terminal only', () => {
    const parse = (...args: string[]) => addWaitOptions(new Command('x')).parse(args, { from: 'user' }).opts().wait
    const seconds = (isTTY: boolean, ...args: string[]) => parseWait(parse(...args), { isTTY })
    expect([seconds(true), seconds(false)]).toEqual([86_400, null])
    expect([seconds(true, '--no-wait'), seconds(false, '--no-wait')]).toEqual([null, null])
    expect([seconds(true, '--wait=7'), seconds(false, '--wait=7'), seconds(false, '--wait')]).toEqual([7, 7, 86_400])
  })

  it.each(['-1', '1.5', 'soon', '86401', ''])('cannot be %j', (text) => {
    expect(() => parseWait(text, {})).toThrow(/--wait/)
  })
})
