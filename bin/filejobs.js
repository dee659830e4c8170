#!/usr/bin/env node
const { access } = require('node:fs')

/**
 * A disk with a journal writes what several threads sync at once in one go; Node has four threads. Their number is read at
 * the first asynchronous call, which the import of a module is: so this file is CommonJS.
 */
const threads = 16

const { env } = process
if (env.UV_THREADPOOL_SIZE === undefined) {
  env.UV_THREADPOOL_SIZE = String(threads)
  access(__filename, () => {})
  // Not for the commands that are started from here.
  delete env.UV_THREADPOOL_SIZE
}

import('../dist/cli/main.js')
