import type { Context } from './context.js'
import { version } from './version.js'

/** The edge of the process: everything below is handed what it needs of it. */
const context: Context = {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
}

const readerWentAway = 141

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(readerWentAway)
  process.stderr.write(`Error: cannot write the result: ${error.message}\n`)
  process.exit(error.code === 'ENOSPC' ? 7 : 1)
})
// Notes that nobody reads must not end a transfer.
process.stderr.on('error', () => {})

const code = await main(process.argv.slice(2))
await Promise.all([flushed(process.stdout), flushed(process.stderr)])
process.exit(code)

async function main(args: string[]): Promise<number> {
  // Answered before the argument parser is loaded, because scripts ask for it often.
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    context.stdout.write(`${version()}\n`)
    return 0
  }
  const { run } = await import('./program.js')
  return run(args, context)
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
