import { defineConfig, mergeConfig } from 'vitest/config'
import { sources } from './test/run/sources.js'
import config from './vitest.config.js'

/**
 * `npm run test:watch -- FILE`: imports of `dist/` lead to `src/`, so that nothing is built after a change, and stack traces show
 * lines of the sources. Worker threads and child processes still run from `dist/`, which is built at the start.
 */
export default mergeConfig(config, defineConfig({ plugins: [sources(import.meta.dirname)] }))
