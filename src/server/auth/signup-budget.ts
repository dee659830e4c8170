import type { Clock } from '../clock.js'
import { Budget } from '../concurrency/budget.js'
import type { PeerLink } from '../peer-link.js'

/** How many accounts one network may create: enough for a classroom, too few to fill the disk. The other servers count them, too. */
export function signupBudget(clock: Clock, link: Pick<PeerLink, 'tell'>): Budget {
  return new Budget({
    burst: 100,
    everyMs: 60_000,
    what: 'signups from your address',
    clock,
    onAdd: (key, amount) => link.tell({ counted: { limit: 'signup', key, amount } }),
  })
}
