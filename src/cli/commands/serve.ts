import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import type { RunningServer } from '../../server/start.js'
import type { Context } from '../context.js'
import { Exit } from '../exit-codes.js'
import { type EndingSignal, signalExits } from '../interrupt.js'
import { serverFlags } from '../server-flags.js'

/** The server's code parses the flags, the environment and the defaults; the client only lists the flags. */
export function serveCommand(context: Context): Command {
  const command = new Command('serve')
  for (const option of serverFlags()) command.addOption(option)
  return command.addHelpText('after', examples).action(async (flags: Record<string, string | undefined>) => {
    const { openProcessServices } = await import('../../server/process-services.js')
    const process = openProcessServices()
    const [{ findUnknownVariables }, { parseConfig }, { openLog }, { startServer }] = await Promise.all([
      import('../unknown-variables.js'),
      import('../../server/config.js'),
      import('../../server/log.js'),
      import('../../server/start.js'),
    ])
    const config = parseConfig(flags, context.env)
    for (const warning of findUnknownVariables(context.env)) context.stderr.write(`${warning}\n`)
    const ended = new Promise<EndingSignal>((resolve) => {
      context.interrupt.listen(resolve)
    })
    const log = openLog(context.stderr, { level: config.logLevel, format: config.logFormat })
    const starting = startServer(config, log, { process })
    if (config.tls)
      context.interrupt.onHangUp(
        () =>
          void starting.then(
            (server) => server.renewTls(),
            () => {},
          ),
      )
    const first = await Promise.race([starting.then((server) => ({ server })), ended.then((signal) => ({ signal }))])
    if ('signal' in first) throw await endStart(starting, first.signal)
    const { server } = first
    context.stdout.write(`Listening on ${server.url}\n`)
    if (server.redirectUrl !== null) context.stdout.write(`Redirecting ${server.redirectUrl} to https\n`)
    context.stderr.write(nextSteps(context.env, server.url, server.firstAdminPassword))
    await ended
    context.stderr.write('Shutting down; once more to leave at once.\n')
    await server.close()
  })
}

/**
 * A start can hang, for example on a disk that does not respond. Wait briefly for it to finish, so that it releases its
 * folder.
 */
async function endStart(starting: Promise<RunningServer>, signal: EndingSignal): Promise<Exit> {
  const closed = starting.then(
    (server) => server.close(),
    () => {},
  )
  await Promise.race([closed, delay(startGraceMs)])
  return new Exit(signalExits[signal])
}

const startGraceMs = 1000

const examples = `
Every flag can stand in the environment: --data is FILEJOBS_DATA, --max-file-size is FILEJOBS_MAX_FILE_SIZE.
The first line on stdout says where it listens. Ctrl-C or SIGTERM ends it in good order. A renewed certificate is used within
seconds, and at once on SIGHUP; running transfers continue.

Examples:
  $ filejobs serve
  $ filejobs serve --port 9000 --data /srv/filejobs --quota 50G
  $ filejobs serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
  $ filejobs serve --host 0.0.0.0 --port 443 --redirect-http 80 --tls-cert cert.pem --tls-key key.pem`

function nextSteps(env: Context['env'], url: string, firstAdminPassword: string | null): string {
  // When started by npm (`npm start`, `npx filejobs serve`), the program is rarely on the PATH.
  const filejobs = env.npm_command ? 'npx filejobs' : 'filejobs'
  const server = url === 'http://127.0.0.1:8080' ? '' : ` --server ${url}`
  const admin =
    firstAdminPassword === null
      ? ''
      : `Created the account admin:admin. Its password, shown only once: ${firstAdminPassword}\n`
  return `${admin}In another terminal, run:
  ${filejobs} signup ann${server}
  ${filejobs} upload FILE${server}
Ctrl-C ends the server.
`
}
