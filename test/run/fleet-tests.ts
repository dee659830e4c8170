import { afterEach, beforeEach } from 'vitest'
import { hasLostServerSince, startAnew } from '../helpers/fleet.js'

/**
 * A request that is under way on a server that is killed breaks, and its client tries again. Tests do not: one that fails is run
 * again if it lost a server, and only then.
 */
beforeEach(async ({ task }) => {
  const startedAt = Date.now()
  Object.assign(task, { retry: { count: 2, condition: () => hasLostServerSince(startedAt) } })
  if (task.result!.retryCount) await startAnew()
})

afterEach(({ task }) => {
  if (hasLostServerSince(task.result!.startTime!)) task.meta.hasLostServer = true
})
