import type { RequestLimits } from '../../dist/server/transfers/room.js'

/** For uploads of tests none of which comes by a link. */
export const noRequests: RequestLimits = {
  reserve: () => unexpected(),
  restore: () => unexpected(),
}

function unexpected(): Promise<never> {
  return Promise.reject(new Error('No upload by a link was expected.'))
}
