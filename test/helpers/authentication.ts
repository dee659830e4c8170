import { onTestFinished } from 'vitest'
import { Authentication } from '../../dist/server/auth/authentication.js'
import { LoginLimiter, type LoginLimiterOptions } from '../../dist/server/auth/login-limiter.js'
import { openPasswords } from '../../dist/server/auth/passwords.js'
import { openTokens } from '../../dist/server/auth/tokens.js'
import { type Clock, systemClock } from '../../dist/server/clock.js'
import { Budget, type BudgetOptions } from '../../dist/server/concurrency/budget.js'
import { openAccountStore } from '../../dist/server/stores/local/accounts.js'
import { openCounters } from '../../dist/server/stores/local/counters.js'
import { openSessionStore } from '../../dist/server/stores/local/sessions.js'
import { temporaryFolder } from './temporary-folder.js'

export interface AuthenticationOptions {
  signupRoles?: ('user' | 'ops' | 'client')[]
  sessionTtlMs?: number
  sessionsPerAccount?: number
  secret?: string
  cost?: number
  limits?: Partial<LoginLimiterOptions>
  clock?: Clock
  signups?: Partial<BudgetOptions>
}

/** The real services of accounts, on a folder of the running test, with a cheap bcrypt. */
export async function openAuthentication(options: AuthenticationOptions = {}) {
  const { clock = systemClock } = options
  const folder = await temporaryFolder()
  const counters = await openCounters(folder)
  const accounts = await openAccountStore(folder, counters)
  const sessions = await openSessionStore(folder, { perAccount: options.sessionsPerAccount ?? 50 })
  const passwords = openPasswords({ cost: options.cost ?? 4 })
  const tokens = await openTokens(
    new TextEncoder().encode(options.secret ?? 'a secret of this test, 32 bytes long'),
    clock,
  )
  onTestFinished(async () => {
    for (const opened of [passwords, sessions, accounts, counters]) await opened.close()
  })
  const services = {
    clock,
    accounts,
    sessions,
    passwords,
    tokens,
    limiter: new LoginLimiter({ clock, ...options.limits }),
    signups: new Budget({ clock, burst: 100, everyMs: 60_000, what: 'signups', ...options.signups }),
    signupRoles: options.signupRoles ?? (['user', 'ops', 'client'] as const),
    sessionTtlMs: options.sessionTtlMs ?? 3_600_000,
  }
  return { ...services, authentication: new Authentication(services) }
}
