/** Whether the servers of all tests have a database and a bucket instead of a data folder. */
export const isCluster = process.env.FILEJOBS_TEST_BACKEND === 'cluster'
