import type { LimitRecord } from '../../protocol/server-state.js'
import type { ServerConfig } from '../config.js'

/** The limits of the configuration, in the order of docs/deploy.md. */
export function limitsInForce(config: ServerConfig): LimitRecord[] {
  const bytes = 'bytes'
  const ms = 'ms'
  return [
    { option: '--signup', value: config.signupRoles.join(',') || 'off', unit: null },
    { option: '--query', value: config.queryAllowed, unit: null },
    { option: '--session-ttl', value: config.sessionTtlMs, unit: ms },
    { option: '--jobs-per-account', value: config.jobsPerAccount, unit: null },
    { option: '--max-file-size', value: config.maxFileSize, unit: bytes },
    { option: '--quota', value: config.quota, unit: bytes },
    { option: '--rate-limit-per-account', value: config.rateLimitPerAccount, unit: 'bytes/s' },
    { option: '--idle-timeout', value: config.idleTimeoutMs, unit: ms },
    { option: '--max-pause', value: config.maxPauseMs, unit: ms },
    { option: '--keep-partial', value: config.keepPartialMs, unit: ms },
    { option: '--shutdown-grace', value: config.shutdownGraceMs, unit: ms },
    ...(config.cluster
      ? [
          { option: '--table-cache', value: config.tableCacheBytes, unit: bytes } as const,
          { option: '--scratch-size', value: config.scratchBytes, unit: bytes } as const,
        ]
      : []),
    { option: '--import-memory', value: config.importMemoryBytes, unit: bytes },
    { option: '--import-threads', value: config.importThreads, unit: null },
    { option: '--import-max-size', value: config.importMaxBytes, unit: bytes },
    { option: '--import-timeout', value: config.importTimeoutMs, unit: ms },
  ]
}
