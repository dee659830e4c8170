import { findVersitygw } from '../cluster/helpers/bucket-server.js'
import { findPostgres } from '../cluster/helpers/postgres-server.js'
import { hasProgram } from '../helpers/system-programs.js'

/**
 * The files whose tests run against three servers behind a proxy: the five dialects, tus, and the control of jobs. The model of
 * tus is not among them, since it restarts its server.
 */
const files = [
  'test/server/dialects/**/*.test.ts',
  'test/server/tus/{bad-input,core,creation,extensions,life,tus-js-client,waiting}.test.ts',
  'test/server/transfers/{pace,pause,stop-export,stop-upload}.test.ts',
  'test/server/jobs/{claims,waiting}.test.ts',
  'test/server/routes/job-events.test.ts',
  'test/server/folders/{joining,stopping}.test.ts',
]

const isPossible = hasProgram('nginx') && findPostgres() !== undefined && findVersitygw() !== undefined
if (!isPossible)
  console.warn('The tests of three servers behind a proxy are skipped: they need nginx, PostgreSQL and versitygw.')

export const fleetFiles = isPossible ? files : []
