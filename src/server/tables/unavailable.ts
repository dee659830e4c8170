import { createRequire } from 'node:module'
import { Problem } from '../../protocol/problems.js'

/** Whether tables can be used: the engine is an optional dependency. */
export function isEngineInstalled(): boolean {
  try {
    requireEngine()
    return true
  } catch {
    return false
  }
}

/** Throws `tables-unavailable` if the engine's package is missing, without loading it: only child processes do that. */
export function requireEngine(): void {
  try {
    createRequire(import.meta.url).resolve('@duckdb/node-api')
  } catch (error) {
    throw tablesUnavailable(error)
  }
}

/** Of the engine's package; null if it is missing. */
export function engineVersion(): string | null {
  try {
    const { version } = createRequire(import.meta.url)('@duckdb/node-api/package.json') as { version: string }
    return version
  } catch {
    return null
  }
}

export function tablesUnavailable(cause?: unknown): Problem {
  const install = 'npm install @duckdb/node-api'
  const message = `Tables need the engine, which is not installed: run "${install}" beside filejobs.`
  return new Problem('tables-unavailable', message, { install }, { cause })
}
