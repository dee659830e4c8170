import { routes } from '../../protocol/routes.js'

/**
 * The interface with signup, upload and stop. Our own is an extension of it: each of its requests is one of ours, and
 * its `message`, `username` and `token` are in our responses, so nothing has to be mounted. The tests replay its
 * document against our routes.
 */
export const stopRequests = [
  ['POST', routes.signup],
  ['POST', routes.upload],
  ['POST', routes.uploadStop],
  ['POST', routes.export],
  ['POST', routes.exportStop],
] as const satisfies readonly (readonly ['POST', string])[]
