import { Command } from 'commander'
import type { Context } from '../context.js'

/** The server's side reads the flags, the environment and their defaults, so here they are only named. */
export function serveCommand(context: Context): Command {
  const command = new Command('serve')
  for (const [flags, meaning] of serveFlags) command.option(flags, meaning)
  return command.addHelpText('after', examples).action(async (flags: Record<string, string | undefined>) => {
    const [{ parseConfig }, { openLog }, { startServer }] = await Promise.all([
      import('../../server/config.js'),
      import('../../server/log.js'),
      import('../../server/start.js'),
    ])
    const config = parseConfig(flags, context.env)
    // Listened for from here on: a signal during a slow start ends in good order too.
    const ended = new Promise((resolve) => {
      context.interrupt.listen(resolve)
    })
    const server = await startServer(config, openLog(context.stderr))
    context.stdout.write(`Listening on ${server.url}\n`)
    context.stderr.write(nextSteps(context.env, server.url, server.firstAdminPassword))
    await ended
    context.stderr.write('Shutting down; once more to leave at once.\n')
    await server.close()
  })
}

const serveFlags: readonly (readonly [flags: string, meaning: string])[] = [
  ['--host <address>', 'address to listen on (default: 127.0.0.1)'],
  ['--port <number>', 'port to listen on, 0 for any free one (default: 8080)'],
  ['--data <folder>', 'where everything is kept (default: ./filejobs-data)'],
  ['--users <file>', 'accounts to make at start'],
  ['--signup <policy>', 'open, open:ROLE,… or closed (default: open on a loopback host, else closed)'],
  ['--query <policy>', 'on or off (default: on on a loopback host, else off)'],
  ['--session-ttl <time>', 'how long a login lasts (default: 365d)'],
  ['--bcrypt-cost <number>', 'the work of a password check (default: 12)'],
  ['--trust-proxy <number>', 'how many proxies in front tell who asks (default: 0)'],
  ['--public-url <url>', 'how the server is reached from outside'],
  ['--cors-origin <origin>', 'a web page that may call from a browser'],
  ['--jobs-per-account <number>', 'running jobs of a kind (default: 1)'],
  ['--max-file-size <size>', 'largest file (default: none)'],
  ['--quota <size>', "room for each account's files and tables (default: none)"],
  ['--rate-limit-per-account <rate>', 'bytes a second for each account (default: none)'],
  ['--idle-timeout <time>', 'end a transfer without a byte for so long (default: 10m)'],
  ['--max-pause <time>', 'end a transfer paused for so long (default: 1h)'],
  ['--keep-partial <time>', 'keep an interrupted upload for so long (default: 24h)'],
  ['--shutdown-grace <time>', 'time for transfers to finish when the server ends (default: 10s)'],
  ['--import-memory <size>', 'memory for imports (default: 512M)'],
  ['--import-threads <number>', 'threads for imports (default: 1)'],
  ['--tls-cert <file>', 'certificate, to serve https'],
  ['--tls-key <file>', 'its key'],
  ['--metrics-token <token>', 'whoever asks for /metrics must bear it; better as FILEJOBS_METRICS_TOKEN'],
]

const examples = `
Every flag can stand in the environment: --data is FILEJOBS_DATA, --max-file-size is FILEJOBS_MAX_FILE_SIZE.
The first line on stdout says where it listens. Ctrl-C or SIGTERM ends it in good order.

Examples:
  $ filejobs serve
  $ filejobs serve --port 9000 --data /srv/filejobs --quota 50G
  $ filejobs serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem`

function nextSteps(env: Context['env'], url: string, firstAdminPassword: string | null): string {
  // Started by npm (`npm start`, `npx filejobs serve`), the program is rarely on the PATH.
  const filejobs = env.npm_command ? 'npx filejobs' : 'filejobs'
  const server = url === 'http://127.0.0.1:8080' ? '' : ` --server ${url}`
  const admin =
    firstAdminPassword === null
      ? ''
      : `The account admin:admin was made. Its password, shown only now: ${firstAdminPassword}\n`
  return `${admin}In another terminal, type next:
  ${filejobs} signup ann${server}
  ${filejobs} upload FILE${server}
Ctrl-C ends the server.
`
}
