import { describe, expect, it } from 'vitest'
import { formatWhat } from '../../dist/cli/job-table.js'
import { exampleJob, type JobRecord } from '../../dist/protocol/jobs.js'

describe('the column WHAT of a table of jobs', () => {
  const files = { total: 2000, done: 1204, unchanged: 60, failed: 0, failures: [] }
  it.each<[string, Partial<JobRecord>]>([
    ['video.mkv', {}],
    ['sales', { file: null, table: 'sales' }],
    ['video.mkv (stopped by user:ben)', { state: 'stopped', stoppedBy: 'user:ben' }],
    ['video.mkv (disk-full)', { error: { code: 'disk-full', message: '', status: 507 } }],
    ['photos/ (1,204 of 2,000 files)', { file: 'photos/', files }],
    ['1,204 of 2,000 files', { file: '', files }],
    ['photos/ (1,204 files)', { file: 'photos/', files: { ...files, total: null } }],
    ['photos/ (1 of 1 file)', { file: 'photos/', files: { ...files, total: 1, done: 1 } }],
    ['photos/ (1,204 of 2,000 files, 3 failed)', { file: 'photos/', files: { ...files, failed: 3 } }],
    [
      'photos/ (1,204 of 2,000 files, stopped by user:ben)',
      { file: 'photos/', files, state: 'stopped', stoppedBy: 'user:ben' },
    ],
  ])('has %s', (what, changes) => {
    expect(formatWhat({ ...exampleJob, ...changes } as JobRecord)).toBe(what)
  })
})
