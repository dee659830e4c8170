import { writeSync } from 'node:fs'
import { isFull } from '../protocol/file-errors.js'
import { version } from '../protocol/version.js'

/** The edge of the process: all other code receives the parts of the process that it uses. */
const args = process.argv.slice(2)

// Handled before anything else is loaded, even the standard streams, because scripts call it often.
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) writeSync(1, `${version()}\n`)
else process.exit(await main())

async function main(): Promise<number> {
  const { env, stdin, stdout, stderr } = process
  endWithReader(stdout)
  // A closed stderr must not end a transfer.
  stderr.on('error', () => {})
  const [{ run }, { createInterrupt }] = await Promise.all([import('./program.js'), import('./interrupt.js')])
  const code = await run(args, { env, stdin, stdout, stderr, interrupt: createInterrupt() })
  await Promise.all([flushed(stdout), flushed(stderr)])
  return code
}

function endWithReader(stdout: NodeJS.WriteStream): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The exit code that a shell reports after SIGPIPE.
    if (error.code === 'EPIPE') process.exit(141)
    process.stderr.write(`Error: cannot write the result: ${error.message}\n`)
    process.exit(isFull(error) ? 7 : 1)
  })
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
