import type { Role } from '../protocol/accounts.js'

/** What `filejobs serve` runs by. Times in milliseconds, sizes in bytes, rates in bytes per second; null means no limit. */
export interface ServerConfig {
  host: string
  port: number
  dataFolder: string
  usersFile: string | null
  /** The roles that anybody may sign up for; empty when signup is closed. */
  signupRoles: Role[]
  queryAllowed: boolean
  sessionTtlMs: number
  bcryptCost: number
  /** How many proxies in front are believed about who asks. */
  trustProxy: number
  publicUrl: string | null
  corsOrigin: string | null
  jobsPerAccount: number
  maxFileSize: number | null
  quota: number | null
  rateLimitPerAccount: number | null
  idleTimeoutMs: number
  maxPauseMs: number
  keepPartialMs: number
  shutdownGraceMs: number
  importMemoryBytes: number
  importThreads: number
  tls: { certFile: string; keyFile: string } | null
  metricsToken: string | null
  /** For the first start; null draws a random one. */
  adminPassword: string | null
  /** 32 bytes or more; null uses the key file in the data folder. */
  jwtSecret: string | null
}
