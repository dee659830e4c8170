const { access } = require('node:fs')

/**
 * Starts the threads for file operations: a disk with a journal writes what several threads sync at once in one go, and Node
 * has four. Their number is read at the first asynchronous call, which the import of a module is: so this is CommonJS, and
 * to be required before anything is imported.
 */
const threads = 16

const { env } = process
if (env.UV_THREADPOOL_SIZE === undefined) {
  env.UV_THREADPOOL_SIZE = String(threads)
  access(__filename, () => {})
  // Not for the commands that are started from here.
  delete env.UV_THREADPOOL_SIZE
}
