import { writeSync } from 'node:fs'
import { version } from '../protocol/version.js'

/** The edge of the process: everything below is handed what it needs of it. */
const args = process.argv.slice(2)

// Answered before anything else is loaded, even the standard streams, because scripts ask for it often.
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) writeSync(1, `${version()}\n`)
else process.exit(await main())

async function main(): Promise<number> {
  const { env, stdin, stdout, stderr } = process
  endWithReader(stdout)
  // Notes that nobody reads must not end a transfer.
  stderr.on('error', () => {})
  const [{ run }, { createInterrupt }] = await Promise.all([import('./program.js'), import('./interrupt.js')])
  const code = await run(args, { env, stdin, stdout, stderr, interrupt: createInterrupt() })
  await Promise.all([flushed(stdout), flushed(stderr)])
  return code
}

function endWithReader(stdout: NodeJS.WriteStream): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // As a shell reports a program that SIGPIPE ended.
    if (error.code === 'EPIPE') process.exit(141)
    process.stderr.write(`Error: cannot write the result: ${error.message}\n`)
    process.exit(error.code === 'ENOSPC' ? 7 : 1)
  })
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
