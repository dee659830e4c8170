#!/usr/bin/env node
require('./thread-pool.js')

import('../dist/cli/main.js')
