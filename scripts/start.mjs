import { makeReady } from './ready.mjs'

/**
 * `npm start`: makes ready what is missing, then serves in this very process, so that a signal meets one program.
 * Arguments are passed on: `npm start -- --port 9000`.
 */
try {
  makeReady()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
process.argv = [process.execPath, 'filejobs', 'serve', ...process.argv.slice(2)]
await import('../bin/filejobs.js')
