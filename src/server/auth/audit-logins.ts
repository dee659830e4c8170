import type { ProblemCode } from '../../protocol/problems.js'
import type { Log } from '../log.js'
import { accountName } from '../stores/accounts.js'
import type { AuthenticationServices } from './authentication.js'

/** Logs the audit lines of logins and signups, by whichever route they came, and counts those that were refused. */
export function auditLogins(
  log: Pick<Log, 'audit'>,
  countRefused: (code: ProblemCode) => void,
): Required<Pick<AuthenticationServices, 'onLogin' | 'onRefused'>> {
  return {
    onLogin(event, account, { address }) {
      log.audit(event, { account: accountName(account), address, outcome: 'done' })
    },
    onRefused(code, { address }, tried) {
      countRefused(code)
      // Without a role, those of all roles were tried.
      log.audit('login.refused', { account: tried.join(' '), address, outcome: 'refused', code })
    },
  }
}
