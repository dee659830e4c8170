import { routes } from '../../protocol/routes.js'

/**
 * The interface that signs up, uploads and stops. Ours grew out of it: each of its requests is one of ours, and its
 * `message`, `username` and `token` are among our words, so that nothing has to be mounted. The replay of its document
 * in the tests holds our routes to that.
 */
export const stopRequests = [
  ['POST', routes.signup],
  ['POST', routes.upload],
  ['POST', routes.uploadStop],
  ['POST', routes.export],
  ['POST', routes.exportStop],
] as const satisfies readonly (readonly ['POST', string])[]
