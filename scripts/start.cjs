require('../bin/thread-pool.js')

/**
 * `npm start`: makes ready what is missing, then serves in this very process, so that a signal meets one program.
 * Arguments are passed on: `npm start -- --port 9000`.
 */
async function start() {
  const { makeReady } = await import('./ready.mjs')
  try {
    makeReady()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
  process.argv = [process.execPath, 'filejobs', 'serve', ...process.argv.slice(2)]
  require('../bin/filejobs.js')
}

start()
