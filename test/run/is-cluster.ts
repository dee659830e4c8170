/** Whether there are three servers behind a proxy for each server that a test starts: `FILEJOBS_TEST_BACKEND=fleet`. */
export const isFleet = process.env.FILEJOBS_TEST_BACKEND === 'fleet'

/** Whether the servers of all tests have a database and a bucket instead of a data folder. */
export const isCluster = isFleet || process.env.FILEJOBS_TEST_BACKEND === 'cluster'
