import { beforeAll, describe, expect, it } from 'vitest'
import { commandTable } from '../../dist/cli/command-table.js'
import type { Context } from '../../dist/cli/context.js'
import { openClient } from '../helpers/program.js'
import { runHere } from '../helpers/run-here.js'
import { shareServer } from '../helpers/shared-server.js'

const tryHere = (args: readonly string[]) =>
  runHere(args, { env: { FILEJOBS_TOKEN: 'x', FILEJOBS_SERVER: 'http://127.0.0.1:1' } })

/** Every command and subcommand, with the words that call it, its required arguments and its options that take a value. */
const commands: { words: string[]; required: number; withValue: string[] }[] = []
for (const { name, load } of commandTable) {
  const create = await load()
  const top = create({} as Context, async () => create({} as Context, async () => top))
  for (const command of [top, ...top.commands]) {
    commands.push({
      words: command === top ? [name] : [name, command.name()],
      required: command.registeredArguments.filter(({ required }) => required).length,
      withValue: command.options.filter((option) => option.required).map(({ long }) => long!),
    })
  }
}

const inForm = (words: string[], message: RegExp) =>
  expect.stringMatching(
    new RegExp(`^Error: ${message.source} See "filejobs ${words.join(' ')}(?: list)? --help"\\.\n$`),
  )

describe.each(commands)('filejobs $words', ({ words, required, withValue }) => {
  it('rejects an unknown option in one line, with exit code 2', async () => {
    const stderr = inForm(words, /Unknown option --frobnicate\./)
    expect(await tryHere([...words, '--frobnicate'])).toEqual({ code: 2, stdout: '', stderr })
  })

  if (required > 0) {
    it('rejects a missing argument in one line, with exit code 2', async () => {
      const stderr = inForm(words, /Missing argument <[a-z]+>\./)
      expect(await tryHere(words)).toEqual({ code: 2, stdout: '', stderr })
    })
  }

  it.each(withValue)('rejects %s without its value in one line, with exit code 2', async (flag) => {
    const stderr = inForm(words, new RegExp(`Option ${flag} needs a value\\.`))
    expect(await tryHere([...words, ...Array(required).fill('x'), flag])).toEqual({ code: 2, stdout: '', stderr })
  })
})

describe('an invalid value', () => {
  it.each([
    [['jobs', '--state', 'done2'], /--state must be one of waiting, running, .*failed, not "done2"\./],
    [['jobs', '--kind', 'x'], /--kind must be one of upload, export, import, query, not "x"\./],
    [['jobs', '--error', 'x'], /--error must be the code of an error, such as disk-full, not "x"\./],
    [['jobs', '--since', 'x'], /--since must be a duration such as 24h or 7d, or a date .*, not "x"\./],
    [['jobs', '--since', '2026-02-30'], /--since must be a date that exists, not "2026-02-30"\./],
    [['jobs', '--all', '--account', 'user:ann'], /--account cannot be combined with --all\./],
    [['jobs', '--watch', '--since', '7d'], /--since cannot be combined with --watch\./],
    [['jobs', '--limit', '0'], /--limit must be a whole number of 1 or more, not "0"\./],
    [['upload', 'x', '--retries', 'x'], /--retries must be a whole number of 0 or more, not "x"\./],
    [['upload', 'x', '--limit-rate', 'fast'], /--limit-rate must be a size such as 500K, 5M or 2G, not "fast"\./],
    [['export', 'x', '--limit-rate', '0'], /--limit-rate must be above 0; .*/],
    [['export', 'x', '--wait=x'], /--wait must be a number of seconds up to 86400, not "x"\./],
    [['limit', 'x', 'fast'], /<rate> must be a size such as 500K, 5M or 2G, not "fast"\./],
    [
      ['share', 'x', '--expires', 'soon'],
      /--expires must be a duration such as .*, or a date such as 2026-12-31, not "soon"\./,
    ],
    [['query', 'SELECT 1', '--limit', 'x'], /--limit must be a whole number of 1 or more, not "x"\./],
    [['login', 'ann', '--role', 'x'], /--role must be one of user, ops, client, admin, not "x"\./],
    [['signup', 'ann', '--role', 'x'], /--role must be one of user, ops, client, admin, not "x"\./],
    [['stop', 'x'], /<what> must be one of upload, export, import, query, or the id of a job, not "x"\./],
    [['serve', '--port', '70000'], /--port must be a whole number from 0 to 65535, not "70000"\./],
    [['serve', '--max-pause', '1'], /--max-pause must be a duration such as 30s, 10m or 24h, not "1"\./],
    [['serve', '--jwt-secret', 'x'], /--jwt-secret would show the secret .*: set FILEJOBS_JWT_SECRET\./],
    [['doctor', '--keep-partial', 'x'], /--keep-partial must be a duration .*, not "x"\./],
    [['whoami', '--server', 'x'], /--server must be the URL of a server, .*, not "x"\./],
    [['completion', 'tcsh'], /<shell> must be one of bash, zsh, fish, not "tcsh"\./],
    [['ls', '--sort', 'type'], /--sort must be one of name, size, date, not "type"\./],
    [['ls', 'a', 'b'], /Too many arguments: expected 1, got 2\./],
  ] as const)('in %j is rejected in one line that names the valid ones, with exit code 2', async (args, message) => {
    const stderr = inForm([args[0]], message)
    expect(await tryHere([...args])).toEqual({ code: 2, stdout: '', stderr })
  })

  it('such as a misspelled option is answered with the closest option', async () => {
    expect((await tryHere(['export', 'x', '--forse'])).stderr).toBe(
      'Error: Unknown option --forse. Did you mean --force? See "filejobs export --help".\n',
    )
  })
})

describe('a value that only the server rejects', () => {
  const shared = shareServer()
  let token: string
  beforeAll(async () => {
    token = await shared.server.logIn('ann')
  })

  it.each([
    [['import', 'x.csv', '--remote', '--table', 'A B'], /--table must match .*/],
    [['import', 'x.csv', '--remote', '--types', 'a=nonsense'], /--types.* .*/],
  ] as const)('is reported with the name of its flag: %j', async (args, message) => {
    const { code, stdout, stderr } = await (await openClient(shared.server.url, token)).runHere([...args])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toEqual(inForm(['import'], message))
  })

  it.each([
    [
      '/jobs?state=done2',
      'state must be one of waiting, running, paused, interrupted, committing, done, stopped, failed.',
    ],
    ['/jobs?kind=x', 'kind must be one of upload, export, import, query.'],
    ['/jobs?limit=0', 'limit must be at least 1.'],
    ['/jobs?limit=x', 'limit must be a number.'],
    ['/jobs?account=x', 'account must be mine, all or ROLE:USERNAME.'],
    ['/files?limit=0', 'limit must be at least 1.'],
  ])('is reported in a sentence that names the field: %s', async (path, message) => {
    const answer = await fetch(shared.server.url + path, { headers: { Authorization: `Bearer ${token}` } })
    expect(await answer.json()).toMatchObject({ status: 400, code: 'invalid-request', message })
  })
})
