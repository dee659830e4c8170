import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clientVariables } from '../../dist/protocol/options/client-variables.js'
import {
  flagOf,
  formatDefault,
  type OptionName,
  type ServerOption,
  serverOptions,
  variableOf,
} from '../../dist/protocol/options/server-options.js'
import { openClient } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'

const options = Object.entries(serverOptions) as [OptionName, ServerOption][]

describe('the table of server options', () => {
  it('matches docs/deploy.md', () => {
    const text = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8')
    const rows = options.map(([name, option]) => {
      const flag = option.environmentOnly ? '' : `\`${flagOf(name)}\``
      const byDefault = formatDefault(option) ?? ''
      return `| ${flag} | \`${variableOf(name)}\` | ${byDefault} | ${option.meaning} |`
    })
    const documented = text.split('\n').filter((line) => /^\| .*\| `FILEJOBS_\w+` \|/.test(line))
    expect(documented).toEqual(rows)
  })

  it('matches "filejobs serve --help", defaults included', async () => {
    const { stdout } = await (await openClient()).run(['serve', '--help'])
    const help = stdout.replace(/\s+/g, ' ')
    for (const [name, option] of options) {
      const words = `${flagOf(name)} <${option.value}> ${option.meaning}`
      if (option.environmentOnly) expect(help).not.toContain(`${flagOf(name)} `)
      else expect(help).toContain(words)
      const byDefault = formatDefault(option)
      if (byDefault) expect(help).toContain(`${words} (default: ${byDefault})`)
    }
  })

  it('has defaults that its own parsers accept', () => {
    for (const [name, { default: byDefault, parse }] of options) {
      const texts = typeof byDefault === 'object' ? Object.values(byDefault ?? {}) : [byDefault]
      for (const text of texts) expect(() => parse(text, name)).not.toThrow()
    }
  })
})

describe('an unknown FILEJOBS_… variable', () => {
  it('is reported by serve with the closest known one; client variables are not reported', async () => {
    const known = Object.fromEntries(clientVariables.map((name) => [name, 'http://127.0.0.1:1']))
    const env = { ...known, FILEJOBS_MAX_FILESIZE: '5M', FILEJOBS_SOMETHING_ELSE: 'x', FILEJOBS_QUOTA: '1G' }
    const server = await startServe({ env })
    await server.says(/Ctrl-C ends the server/)
    expect(server.stderr.split('\n').filter((line) => line.startsWith('Warning'))).toEqual([
      'Warning: Unknown variable FILEJOBS_MAX_FILESIZE. Did you mean FILEJOBS_MAX_FILE_SIZE?',
      'Warning: Unknown variable FILEJOBS_SOMETHING_ELSE.',
    ])
  })

  it('is reported by doctor on stderr', async () => {
    const client = await openClient()
    const { stdout, stderr } = await client.run(['doctor', '--json', '--data', `${client.home}/none`], {
      env: { FILEJOBS_DAT: 'x' },
    })
    expect(stderr).toContain('Warning: Unknown variable FILEJOBS_DAT. Did you mean FILEJOBS_DATA?\n')
    expect(stdout).not.toContain('Warning')
  })
})
