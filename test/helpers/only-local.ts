import { isCluster, isFleet } from '../run/is-cluster.js'

/**
 * Defines tests of what only a server with a data folder has. With `FILEJOBS_TEST_BACKEND=cluster` they are not defined, so that
 * none counts as skipped. The reason says what a database and a bucket have not.
 */
export function onlyLocal(_reason: string, defineTests: () => void): void {
  if (!isCluster) defineTests()
}

/** Defines tests of one server, which say nothing about several ones behind a proxy: `npm run test:fleet` has none of them. */
export function onOneServer(_reason: string, defineTests: () => void): void {
  if (!isFleet) defineTests()
}
