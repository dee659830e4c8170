import type { ServerConfig } from '../../dist/server/config.js'

/** The flags of `filejobs serve` for what tests change. */
const flags = {
  shutdownGraceMs: (ms) => ['--shutdown-grace', `${ms}ms`],
  keepPartialMs: (ms) => ['--keep-partial', `${ms}ms`],
  idleTimeoutMs: (ms) => ['--idle-timeout', `${ms}ms`],
  maxPauseMs: (ms) => ['--max-pause', `${ms}ms`],
  maxFileSize: (bytes) => ['--max-file-size', String(bytes ?? 'none')],
  quota: (bytes) => ['--quota', String(bytes ?? 'none')],
  rateLimitPerAccount: (bytes) => ['--rate-limit-per-account', String(bytes ?? 'none')],
  jobsPerAccount: (jobs) => ['--jobs-per-account', String(jobs)],
  signupRoles: (roles) => ['--signup', roles.length > 0 ? `open:${roles}` : 'closed'],
  usersFile: (path) => ['--users', path!],
} satisfies { [Name in keyof ServerConfig]?: (value: ServerConfig[Name]) => string[] }

/** Throws where a test changes something else: it belongs to the tests that are left out. */
export function fleetFlags(changes: Partial<ServerConfig>): string[] {
  return Object.entries(changes).flatMap(([name, value]) => {
    const flag = (flags as Record<string, (value: unknown) => string[]>)[name]
    if (!flag) throw new Error(`The servers of a fleet have no flag for ${name}.`)
    return flag(value)
  })
}
