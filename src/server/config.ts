import { passwordBytes, type Role, roles } from '../protocol/accounts.js'
import { Problem } from '../protocol/problems.js'
import { parseDuration, parseSize } from '../protocol/units.js'
import { isLoopbackHost } from './http/loopback.js'

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

/** The values of the command line by camelCase name, as commander hands them over: `{ sessionTtl: '30d' }`. */
export type ServeFlags = Readonly<Record<string, string | boolean | undefined>>

/** The variables of the environment: `FILEJOBS_` and the flag's name in capitals. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads what `serve` runs by. A flag wins over its variable; an empty variable counts as unset; `none` lifts a limit.
 * Throws `invalid-request` naming the flag or the variable at fault.
 */
export function parseConfig(flags: ServeFlags = {}, env: Environment = {}): ServerConfig {
  const settings = new Settings(flags, env)
  const host = settings.text('host') ?? '127.0.0.1'
  // Rule 8: generous on loopback, closed elsewhere.
  const generous = isLoopbackHost(host)
  return {
    host,
    port: settings.integer('port', { least: 0, most: 65_535 }) ?? 8080,
    dataFolder: settings.text('data') ?? './filejobs-data',
    usersFile: settings.text('users'),
    signupRoles: settings.parsed('signup', parseSignup) ?? (generous ? [...openRoles] : []),
    queryAllowed: settings.parsed('query', parseSwitch) ?? generous,
    sessionTtlMs: settings.duration('sessionTtl', { least: 1000, most: 3650 * day }) ?? 365 * day,
    bcryptCost: settings.integer('bcryptCost', { least: 4, most: 20 }) ?? 12,
    trustProxy: settings.integer('trustProxy', { least: 0, most: 100 }) ?? 0,
    publicUrl: settings.parsed('publicUrl', parsePublicUrl),
    corsOrigin: settings.parsed('corsOrigin', parseOrigins),
    jobsPerAccount: settings.integer('jobsPerAccount', { least: 1, most: 1000 }) ?? 1,
    maxFileSize: settings.limit('maxFileSize'),
    quota: settings.limit('quota'),
    rateLimitPerAccount: settings.limit('rateLimitPerAccount'),
    idleTimeoutMs: settings.duration('idleTimeout', { least: 1, most: longestTimer }) ?? 10 * minute,
    maxPauseMs: settings.duration('maxPause', { least: 1, most: longestTimer }) ?? 60 * minute,
    keepPartialMs: settings.duration('keepPartial', { least: 1, most: 3650 * day }) ?? day,
    shutdownGraceMs: settings.duration('shutdownGrace', { least: 0, most: longestTimer }) ?? 10_000,
    importMemoryBytes: settings.size('importMemory') ?? 512 * 1024 ** 2,
    importThreads: settings.integer('importThreads', { least: 1, most: 256 }) ?? 1,
    tls: parseTls(settings),
    metricsToken: settings.text('metricsToken'),
    adminPassword: settings.parsed('adminPassword', parseAdminPassword),
    jwtSecret: settings.parsed('jwtSecret', parseJwtSecret),
  }
}

const minute = 60_000
const day = 24 * 60 * minute
/** Node fires a longer timer at once. */
const longestTimer = 24 * day
/** Nobody signs up as an admin. */
const openRoles = roles.filter((role) => role !== 'admin')
/** Secrets never stand in arguments, where every user of the machine can read them. */
const environmentOnly: readonly string[] = ['adminPassword', 'jwtSecret']

interface Bounds {
  least: number
  most: number
}

/** One value at a time: from its flag, else from its variable, with the name of where it came from for messages. */
class Settings {
  readonly #flags: ServeFlags
  readonly #env: Environment

  constructor(flags: ServeFlags, env: Environment) {
    this.#flags = flags
    this.#env = env
  }

  parsed<T>(name: string, parse: (text: string, field: string) => T): T | null {
    const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const flag = environmentOnly.includes(name) ? undefined : this.#flags[name]
    if (flag !== undefined) {
      const field = `--${kebab}`
      if (typeof flag === 'string' && flag !== '') return parse(flag, field)
      throw wrong(field, 'needs a value')
    }
    const variable = `FILEJOBS_${kebab.replaceAll('-', '_').toUpperCase()}`
    const text = this.#env[variable]
    return text ? parse(text, variable) : null
  }

  text(name: string): string | null {
    return this.parsed(name, (text) => text)
  }

  integer(name: string, bounds: Bounds): number | null {
    return this.parsed(name, (text, field) => {
      const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
      if (number >= bounds.least && number <= bounds.most) return number
      throw wrong(field, `"${text}" is not a whole number from ${bounds.least} to ${bounds.most}`)
    })
  }

  duration(name: string, bounds: Bounds): number | null {
    return this.parsed(name, (text, field) => {
      const milliseconds = parseDuration(text, field)
      if (milliseconds < bounds.least) throw wrong(field, `"${text}" is too short`)
      if (milliseconds > bounds.most) throw wrong(field, `"${text}" is too long: ${bounds.most / day}d at most`)
      return milliseconds
    })
  }

  size(name: string): number | null {
    return this.parsed(name, (text, field) => {
      const bytes = parseSize(text, field)
      if (bytes < 1) throw wrong(field, `"${text}" is too small`)
      return bytes
    })
  }

  limit(name: string): number | null {
    return this.parsed(name, (text) => text) === 'none' ? null : this.size(name)
  }
}

function parseSignup(text: string, field: string): Role[] {
  if (text === 'closed') return []
  if (text === 'open') return [...openRoles]
  const named = /^open:(.+)$/.exec(text)?.[1]?.split(',') ?? []
  const known = openRoles.filter((role) => named.includes(role))
  if (known.length > 0 && named.every((role) => openRoles.some((open) => open === role))) return known
  throw wrong(field, `"${text}" is not open, closed, or open: and roles out of ${openRoles.join(',')}`)
}

function parseSwitch(text: string, field: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on'
  throw wrong(field, `"${text}" is neither on nor off`)
}

function parsePublicUrl(text: string, field: string): string {
  const url = parseUrl(text)
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username) {
    return url.href.replace(/\/+$/, '')
  }
  throw wrong(field, `"${text}" is not the address of a site, such as https://files.example.org`)
}

function parseOrigins(text: string, field: string): string {
  if (text === '*') return text
  return text
    .split(',')
    .map((part) => {
      const origin = parseUrl(part.trim())?.origin
      if (origin?.startsWith('http')) return origin
      throw wrong(field, `"${part}" is not an origin, such as https://app.example.org, nor *`)
    })
    .join(',')
}

function parseTls(settings: Settings): ServerConfig['tls'] {
  const certFile = settings.text('tlsCert')
  const keyFile = settings.text('tlsKey')
  if (certFile && keyFile) return { certFile, keyFile }
  if (certFile || keyFile) throw wrong(certFile ? '--tls-key' : '--tls-cert', 'is missing: TLS needs both files')
  return null
}

function parseAdminPassword(text: string, field: string): string {
  const bytes = Buffer.byteLength(text)
  if (bytes >= passwordBytes.min && bytes <= passwordBytes.max) return text
  throw wrong(field, `a password has ${passwordBytes.min} to ${passwordBytes.max} bytes`)
}

function parseJwtSecret(text: string, field: string): string {
  if (Buffer.byteLength(text) >= 32) return text
  throw wrong(field, 'must have 32 bytes or more')
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

function wrong(field: string, reason: string): Problem {
  return new Problem('invalid-request', `${field}: ${reason}.`, { field })
}
